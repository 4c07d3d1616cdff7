// `--mode`, `--remote-url` and `--remote-token`: this machine as a client of a Gateway elsewhere.

import { Fault } from "../../base/fault.ts";
import type { Answers } from "../../setup/answers.ts";
import type { Invocation } from "../commands.ts";
import { textOf } from "./open.ts";
import { readSecret } from "./secret-input.ts";

/** @throws Fault `usage` for flags that do not go together. */
export async function readMode(invocation: Invocation): Promise<Pick<Answers, "mode" | "remote">> {
  const mode = textOf(invocation, "mode");
  const url = textOf(invocation, "remoteUrl");
  if (mode !== undefined && mode !== "local" && mode !== "remote")
    throw new Fault("usage", `Invalid --mode: ${mode}`, { field: "--mode", next: "use local or remote" });
  const isRemote = mode === "remote" || (mode === undefined && url !== undefined);
  if (!isRemote) return mode === undefined ? {} : { mode };
  if (url === undefined)
    throw new Fault("usage", "which Gateway?", { field: "--remote-url", next: "pass --remote-url wss://host:port" });
  const token = await readSecret(textOf(invocation, "remoteToken"), "--remote-token");
  return { mode: "remote", remote: { url: checkUrl(url), ...(token === undefined ? {} : { token }) } };
}

/** @throws Fault `usage` for what is no WebSocket address. */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^wss?:$/u.test(url.protocol)) return text;
  throw new Fault("usage", `not the address of a Gateway: ${text}`, {
    field: "--remote-url",
    next: "write it as wss://host:port, or ws://127.0.0.1:18789 through a tunnel",
  });
}
