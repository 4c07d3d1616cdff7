// Secrets that flags name. On a command line everybody on the machine can read them: `-` takes them from stdin instead.

import { createInterface } from "node:readline";

import { Fault } from "../../base/fault.ts";

/** @returns the value, or for `-` the first line of stdin. @throws Fault `usage` for a blank one. */
export async function readSecret(value: string | undefined, flag: string): Promise<string | undefined> {
  if (value === undefined) return undefined;
  const secret = (value === "-" ? await readLine() : value).trim();
  if (secret !== "") return secret;
  throw new Fault("usage", value === "-" ? `nothing came on stdin for ${flag}` : `${flag} is blank`, {
    field: flag,
    next: "give it a value or leave it out",
  });
}

async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}
