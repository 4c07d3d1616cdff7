// The token that guards a Gateway of this machine. It has one place (R13): the token file in the state folder, which the first
// start makes too, unless the config holds it.

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Env } from "../platform/env.ts";
import type { PrivateFiles } from "../ports/files.ts";
import type { Config } from "../settings/config.ts";

export interface TokenOptions {
  /** Asked for by flag or answer. */
  readonly wanted: string | undefined;
  readonly auth: Config["gateway"]["auth"];
  readonly env: Env;
  readonly files: PrivateFiles;
  readonly tokenFile: string;
  readonly ids: Ids;
}

export interface SettledSecret {
  readonly mode: "token" | "password";
  /** Where it is, for texts; never what it is. */
  readonly source: string;
  readonly isNew: boolean;
  readonly warnings: readonly string[];
}

/** Leaves a token that is there, keeps one that is given, else makes one: 24 random bytes as hex. */
export async function settleToken(options: TokenOptions): Promise<SettledSecret> {
  const { auth, env, files, tokenFile } = options;
  const wanted = options.wanted === undefined ? undefined : parseToken(options.wanted);
  const mode = auth.mode ?? (auth.password === undefined ? "token" : "password");
  if (mode === "password") return keptPassword(auth, env);
  // the answer to a wish has gone into the config by then
  if (auth.token !== undefined) return { mode: "token", source: "gateway.auth.token", isNew: false, warnings: [] };
  const kept = (await files.read(tokenFile))?.trim();
  const token = wanted ?? (kept || undefined);
  const settled = { mode: "token", source: tokenFile } as const;
  if (token === undefined) {
    await makeToken(kept !== undefined, options);
    return { ...settled, isNew: true, warnings: [] };
  }
  const isNew = token !== kept;
  if (isNew) await files.write(tokenFile, `${token}\n`);
  return { ...settled, isNew, warnings: warnOfOther(env, token) };
}

/** `isThere`: an empty file, which counts for none. Of two at once the first one's token stays. */
async function makeToken(isThere: boolean, { env, ids, files, tokenFile }: TokenOptions): Promise<void> {
  const text = `${env.get("GATEWAY_TOKEN") ?? ids.secret(24)}\n`;
  if (isThere) await files.write(tokenFile, text);
  else await files.create(tokenFile, text);
}

/** @throws Fault `usage` for what is not one word. */
export function parseToken(text: string): string {
  const token = text.trim();
  if (token !== "" && !/\s/u.test(token)) return token;
  throw new Fault("usage", "a token is one word", { field: "--gateway-token", next: "leave it out to have one made" });
}

function keptPassword({ password }: Config["gateway"]["auth"], env: Env): SettledSecret {
  const variable = env.source("GATEWAY_PASSWORD");
  const source = password === undefined ? variable : "gateway.auth.password";
  return {
    mode: "password",
    source: source ?? "nowhere yet",
    isNew: false,
    warnings:
      source === undefined ? ["gateway.auth.mode is password and no password is set: set gateway.auth.password"] : [],
  };
}

/** A shell that says otherwise would guard, or ask with, another token. */
function warnOfOther(env: Env, kept: string): readonly string[] {
  const given = env.get("GATEWAY_TOKEN");
  if (given === undefined || given === kept) return [];
  return [`${env.source("GATEWAY_TOKEN")} holds another token than the one that is kept: unset it`];
}
