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
import { resolveClientSecret, resolveServerSecret, type GatewaySecret, type SecretSources } from "./secret.ts";

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
  const pair = (token: string, password: string) =>
    fc.record({ token: fc.constant(token), password: fc.constant(password) }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(
      pair("ct", "cp"),
      pair("et", "ep"),
      fc.constantFrom(undefined, "token" as const, "password" as const),
      async (auth, variables, mode) => {
        const vars = Object.fromEntries(
          Object.entries(variables).map(([name, value]) => [`OPENCLAW_GATEWAY_${name.toUpperCase()}`, value]),
        );
        const sources = sourcesOf({ auth, vars, ...(mode ? { mode } : {}) });
        const wanted = mode ?? ("password" in { ...auth, ...variables } ? "password" : "token");
        assert.deepEqual(plain(await resolveServerSecret(sources)), expected(wanted, [auth, variables]));
        assert.deepEqual(plain(await resolveClientSecret(sources)), expected(wanted, [variables, auth]));
      },
    ),
  );
});

const plain = (secret: GatewaySecret | undefined) => secret && { mode: secret.mode, value: secret.value };

function expected(mode: GatewaySecret["mode"], places: readonly { token?: string; password?: string }[]) {
  const value = places.map((place) => place[mode]).find((it) => it !== undefined);
  if (value !== undefined) return { mode, value };
  return mode === "token" ? { mode, value: "from-file" } : undefined;
}
