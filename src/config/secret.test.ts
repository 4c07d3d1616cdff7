import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { createEnv } from "../platform/env.ts";
import type { Config } from "../settings/config.ts";
import { defaultConfig } from "./parse.ts";
import { resolveClientSecret, resolveServerSecret, type SecretSources } from "./secret.ts";

let folder: string;
let tokenFile: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "secret-"));
  tokenFile = join(folder, "gateway-token");
  await writeFile(tokenFile, "from-file\n");
});
after(() => rm(folder, { recursive: true, force: true }));

interface Given {
  mode?: "token" | "password";
  isRemote?: boolean;
  flags?: SecretSources["flags"];
  auth?: { token?: string; password?: string };
  remote?: { token?: string; password?: string };
  vars?: Record<string, string>;
}

function sourcesOf({ mode, isRemote, flags = {}, auth = {}, remote, vars = {} }: Given): SecretSources {
  const config: Config = structuredClone(defaultConfig());
  Object.assign(config.gateway.auth, auth, mode ? { mode } : {});
  if (isRemote) config.gateway.mode = "remote";
  if (remote) config.gateway.remote = remote;
  return { flags, config, env: createEnv(brandOf("openclaw"), vars), tokenFile };
}

test("the token file is the last place looked at", async () => {
  assert.deepEqual(await resolveServerSecret(sourcesOf({})), {
    mode: "token",
    value: "from-file",
    source: tokenFile,
  });
  assert.equal((await resolveServerSecret(sourcesOf({ vars: { OPENCLAW_GATEWAY_TOKEN: "env" } })))?.value, "env");
});

test("who asked for a password never gets a token", async () => {
  const given: Given = { mode: "password", auth: { token: "t" }, vars: { OPENCLAW_GATEWAY_TOKEN: "e" } };
  assert.equal(await resolveServerSecret(sourcesOf(given)), undefined);
  assert.equal(await resolveClientSecret(sourcesOf(given)), undefined);
});

test("a client of a remote Gateway never sends it the secret of this machine's own", async () => {
  assert.equal(await resolveClientSecret(sourcesOf({ isRemote: true, auth: { token: "local" } })), undefined);
  const given: Given = { isRemote: true, mode: "password", auth: { password: "local" }, remote: { token: "theirs" } };
  assert.deepEqual(await resolveClientSecret(sourcesOf(given)), {
    mode: "token",
    value: "theirs",
    source: "gateway.remote.token",
  });
});

test("a flag that is given decides the mode, unless the config does", async () => {
  const given: Given = { flags: { token: "flag" }, auth: { password: "p" } };
  assert.equal((await resolveServerSecret(sourcesOf(given)))?.value, "flag");
  assert.equal((await resolveServerSecret(sourcesOf({ ...given, mode: "password" })))?.value, "p");
});

test("a blank flag is an error that names it, and a blank variable counts as unset", async () => {
  await assert.rejects(resolveServerSecret(sourcesOf({ flags: { password: "  " } })), /--password is blank/u);
  assert.equal(
    (await resolveServerSecret(sourcesOf({ vars: { OPENCLAW_GATEWAY_TOKEN: " ", CLAWDBOT_GATEWAY_TOKEN: "old" } })))
      ?.value,
    "old",
  );
});

test("without flags both sides agree on the mode, whatever stands where", async () => {
  const maybe = (value: string) => fc.option(fc.constant(value), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      fc.record({ token: maybe("ct"), password: maybe("cp") }),
      fc.record({ token: maybe("et"), password: maybe("ep") }),
      fc.option(fc.constantFrom("token" as const, "password" as const), { nil: undefined }),
      async (auth, variables, mode) => {
        const set = (pair: { token: string | undefined; password: string | undefined }) => ({
          ...(pair.token ? { token: pair.token } : {}),
          ...(pair.password ? { password: pair.password } : {}),
        });
        const vars = {
          ...(variables.token ? { OPENCLAW_GATEWAY_TOKEN: variables.token } : {}),
          ...(variables.password ? { OPENCLAW_GATEWAY_PASSWORD: variables.password } : {}),
        };
        const sources = sourcesOf({ auth: set(auth), vars, ...(mode ? { mode } : {}) });
        const server = await resolveServerSecret(sources);
        const client = await resolveClientSecret(sources);

        assert.equal(client?.mode, server?.mode);
        const wanted = mode ?? (auth.password || variables.password ? "password" : "token");
        const fallback = wanted === "token" ? "from-file" : undefined;
        assert.equal(server?.value, auth[wanted] ?? variables[wanted] ?? fallback);
        assert.equal(client?.value, variables[wanted] ?? auth[wanted] ?? fallback);
      },
    ),
  );
});
