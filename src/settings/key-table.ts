// Every config key with what a change of it disturbs and whether it is a secret, read from the generated list when it is asked for.

import { configKeyLines } from "./generated/keys.ts";
import type { ReloadEffect } from "./key.ts";

export interface ConfigKey {
  readonly reload: ReloadEffect;
  readonly isSecret: boolean;
}

/** By dotted path; `*` stands for a name of the user's choosing, `[]` for an item of a list. */
export function readConfigKeys(): ReadonlyMap<string, ConfigKey> {
  const rows = configKeyLines
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  // the generator writes nothing but effects there
  return new Map(
    rows.map(([path = "", reload, mark]) => [path, { reload: reload as ReloadEffect, isSecret: mark === "secret" }]),
  );
}
