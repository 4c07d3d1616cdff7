// Takes keys out of the config file for a room whose credentials are to be forgotten.

import type { Clock } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import { editText } from "./edit.ts";
import { unsetAt } from "./path.ts";
import type { Reloader } from "./reload.ts";
import type { ConfigStore } from "./store.ts";
import { createConfigWriter } from "./write.ts";

export interface UnsetDependencies {
  readonly store: Pick<ConfigStore, "files">;
  readonly clock: Clock;
  /** Whatever is written counts by it: what a hand has saved just before is taken up as well. */
  readonly reloader: Pick<Reloader, "change">;
}

/**
 * The rest of the file stays, and the config without them is in use afterwards.
 * @returns whether the file had any of them.
 * @throws Fault when the file cannot be written, or has errors.
 */
export async function unsetKeys(
  { store, clock, reloader }: UnsetDependencies,
  paths: readonly (readonly string[])[],
): Promise<boolean> {
  const writer = createConfigWriter({ files: store.files, clock });
  let isFound = false;
  const write = () =>
    writer.write(({ text, value }) => {
      if (text === undefined || value === undefined) return undefined;
      let to: unknown = value;
      for (const path of paths) to = unsetAt(to, path) ?? to;
      isFound = to !== value;
      return isFound && isRecord(to) ? editText(text, value, to).text : undefined;
    });
  // who forgets something does not ask for a restart
  await reloader.change(write, () => undefined);
  return isFound;
}
