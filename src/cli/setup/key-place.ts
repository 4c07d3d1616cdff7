// Where a provider's key is already. The key itself stays there.

import type { ProviderChoice } from "../../setup/providers.ts";
import type { Config } from "../../settings/config.ts";

export type KeyPlace = { readonly kind: "config" } | { readonly kind: "environment"; readonly variable: string };

/** In the order in which the Gateway looks; undefined: nowhere. */
export function readWhere(
  { provider, variables }: ProviderChoice,
  config: Config,
  env: (name: string) => string | undefined,
): KeyPlace | undefined {
  if (config.models.providers[provider]?.apiKey?.trim()) return { kind: "config" };
  const variable = variables.find((name) => env(name) !== undefined);
  return variable === undefined ? undefined : { kind: "environment", variable };
}
