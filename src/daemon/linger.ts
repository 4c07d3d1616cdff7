// A user's services end with the last session unless the user lingers.

import { said, type Tool } from "./tool.ts";

/** Turns it on where that is allowed without a password. @returns what is left to do, for people; undefined when nothing is. */
export async function ensureLinger(loginctl: Tool, user: string): Promise<string | undefined> {
  const shown = await loginctl("show-user", user, "-p", "Linger");
  if (/^Linger=yes$/mu.test(shown.stdout)) return undefined;
  const enabled = await loginctl("enable-linger", user);
  if (enabled.exitCode === 0) return undefined;
  const why = said(enabled).split("\n")[0] ?? "";
  return `the service ends when ${user} logs out, until somebody types: sudo loginctl enable-linger ${user} (${why})`;
}
