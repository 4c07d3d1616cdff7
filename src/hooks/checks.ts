// What may be wrong with the hooks.

import type { Finding } from "../ports/check.ts";
import type { HookState } from "./section.ts";

/** Empty when all is well. */
export function hookProblems(state: HookState): readonly (Finding & { readonly next: string })[] {
  if (state.state !== "refused") return [];
  const { reason, next } = state;
  return [{ id: "hooks.refused", severity: "error", message: `hooks stay shut: ${reason}`, next }];
}
