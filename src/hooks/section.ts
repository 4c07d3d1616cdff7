// What the config says of hooks: off, on, or not to be trusted as it is. Pure.

import type { Config } from "../settings/config.ts";

type Section = NonNullable<Config["hooks"]>;
export type HookMapping = NonNullable<Section["mappings"]>[number];

export type HookState =
  | { readonly state: "off" }
  /** They were asked for, and would be open to strangers: they stay shut. */
  | { readonly state: "refused"; readonly reason: string; readonly next: string }
  | {
      readonly state: "on";
      /** Begins with a slash and does not end with one. */
      readonly path: string;
      readonly token: string;
      readonly maxBodyBytes: number;
      readonly mappings: readonly HookMapping[];
      /** Beginnings of session keys that a request may name. */
      readonly sessionPrefixes: readonly string[];
    };

const minTokenLength = 24;
const defaultBodyBytes = 256 * 1024;

/** `gatewaySecret`: the hooks' token must be another one, for who holds it may do less. */
export function readHooks(section: Config["hooks"], gatewaySecret: string): HookState {
  if (section?.enabled !== true) return { state: "off" };
  const mappings = [...(section.mappings ?? []), ...presetMappings(section.presets ?? [])];
  const hooks = {
    path: `/${(section.path ?? "/hooks").replaceAll(/^\/+|\/+$/gu, "")}`,
    token: section.token?.trim() ?? "",
    maxBodyBytes: section.maxBodyBytes ?? defaultBodyBytes,
    mappings,
    sessionPrefixes: section.allowedSessionKeyPrefixes ?? ["hook:"],
  };
  const trouble = findTrouble(hooks, gatewaySecret);
  return trouble ? { state: "refused", ...trouble } : { state: "on", ...hooks };
}

type Trouble = { readonly reason: string; readonly next: string };

function findTrouble(
  { token, path, mappings }: Pick<Extract<HookState, { state: "on" }>, "token" | "path" | "mappings">,
  gatewaySecret: string,
): Trouble | undefined {
  if (token === "")
    return { reason: "hooks.token is not set", next: "set hooks.token, such as the output of: openssl rand -hex 24" };
  if (token.length < minTokenLength)
    return { reason: `hooks.token has fewer than ${minTokenLength} characters`, next: "set a longer one" };
  if (token === gatewaySecret)
    return { reason: "hooks.token is the Gateway's own secret", next: "set another one for hooks" };
  if (path === "/") return { reason: "hooks.path is /, which is every path", next: "set hooks.path to /hooks" };
  const withCode = mappings.find(({ transform }) => transform !== undefined);
  if (!withCode) return undefined;
  const name = withCode.id ?? withCode.match?.path ?? "one of hooks.mappings";
  return {
    reason: `${name} has a transform: code is not run for strangers`,
    next: "use messageTemplate and textTemplate",
  };
}

/** Rules that come with the Gateway; those of the config are looked at before them. */
function presetMappings(presets: readonly string[]): readonly HookMapping[] {
  if (!presets.includes("gmail")) return [];
  return [
    {
      id: "gmail",
      match: { path: "gmail" },
      action: "agent",
      wakeMode: "now",
      name: "Gmail",
      sessionKey: "hook:gmail:{{messages[0].id}}",
      messageTemplate:
        "A mail came from {{messages[0].from}}.\nSubject: {{messages[0].subject}}\n\n{{messages[0].snippet}}\n{{messages[0].body}}",
    },
  ];
}
