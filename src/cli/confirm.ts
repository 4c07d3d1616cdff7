// One question before something that cannot be taken back easily.

import { Fault } from "../base/fault.ts";
import type { Context } from "./context.ts";
import { hasPerson, isCancelled, openPrompts } from "./setup/prompts.ts";

/**
 * Asks at the terminal; anything but yes is no. `flag`: what stands for the answer.
 * @throws Fault `usage` where nobody can be asked: no terminal, or somebody wants JSON.
 */
export async function confirm({ flags, out }: Context, message: string, flag = "--force"): Promise<boolean> {
  if (flags.json === true || !hasPerson())
    throw new Fault("usage", "this changes what is here, and nobody can be asked", {
      field: flag,
      next: `pass ${flag} to go on, or --dry-run to see what would be done`,
    });
  const prompts = await openPrompts();
  const isYes = await prompts.confirm({ message, initial: false }).catch((error: unknown) => {
    if (isCancelled(error)) return false;
    throw error;
  });
  if (!isYes) out.error("nothing was changed");
  return isYes;
}
