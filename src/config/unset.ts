// Takes keys out of the config file for a room whose credentials are to be forgotten.

import type { Clock } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import { editText } from "./edit.ts";
import { unsetAt } from "./path.ts";
import type { ConfigStore } from "./store.ts";
import { createConfigWriter } from "./write.ts";

/**
 * The rest of the file stays, and the config without them is in use afterwards.
 * @returns whether the file had any of them.
 * @throws Fault when the file cannot be written, or has errors.
 */
export async function unsetKeys(
  { store, clock }: { store: ConfigStore; clock: Clock },
  paths: readonly (readonly string[])[],
): Promise<boolean> {
  let isFound = false;
  await createConfigWriter({ files: store.files, clock }).write(({ text, value }) => {
    if (text === undefined || value === undefined) return undefined;
    let to: unknown = value;
    for (const path of paths) to = unsetAt(to, path) ?? to;
    isFound = to !== value;
    return isFound && isRecord(to) ? editText(text, value, to).text : undefined;
  });
  if (isFound) await store.reload();
  return isFound;
}
