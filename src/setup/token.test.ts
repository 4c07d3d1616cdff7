import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { createSeededIds } from "../base/ids.ts";
import { createEnv } from "../platform/env.ts";
import { createPrivateFiles } from "../platform/private-files.ts";
import { settleToken, type TokenOptions } from "./token.ts";

let folder: string;
let tokenFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
  tokenFile = join(folder, "credentials", "gateway-token");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const settle = (options: Partial<TokenOptions> = {}, variables: Record<string, string> = {}) =>
  settleToken({
    wanted: undefined,
    auth: {},
    env: createEnv(brandOf("openclaw"), variables),
    files: createPrivateFiles(),
    tokenFile,
    ids: createSeededIds(1),
    ...options,
  });
const kept = () => readFile(tokenFile, "utf8");

test("two at once agree on one token", async () => {
  const both = await Promise.all([settle({ ids: createSeededIds(1) }), settle({ ids: createSeededIds(2) })]);
  assert.deepEqual(
    both.map(({ source }) => source),
    [tokenFile, tokenFile],
  );
  const token = await kept();
  assert.match(token, /^[0-9a-f]{48}\n$/u);
  assert.equal((await settle()).isNew, false);
  assert.equal(await kept(), token);
});

test("a token that is asked for replaces the kept one, and is one word", async () => {
  await settle();
  assert.equal((await settle({ wanted: "mine" })).isNew, true);
  assert.equal((await settle({ wanted: "mine" })).isNew, false);
  assert.equal(await kept(), "mine\n");
  for (const wanted of ["", "two words", "a\nb"]) await assert.rejects(settle({ wanted }), { code: "usage" });
  const { warnings } = await settle({ wanted: "mine" }, { OPENCLAW_GATEWAY_TOKEN: "other" });
  assert.match(warnings.join(), /^OPENCLAW_GATEWAY_TOKEN holds another token/u);
});

test("an empty token file is filled", async () => {
  await settle();
  await writeFile(tokenFile, "\n");
  assert.equal((await settle()).isNew, true);
  assert.match(await kept(), /^[0-9a-f]{48}\n$/u);
});

test("with a password no token is made, and a password that is nowhere is told", async () => {
  const there = await settle({ auth: { mode: "password", password: "p" } });
  assert.deepEqual([there.mode, there.source, there.warnings], ["password", "gateway.auth.password", []]);
  const shell = await settle({ auth: { mode: "password" } }, { OPENCLAW_GATEWAY_PASSWORD: "p" });
  assert.equal(shell.source, "OPENCLAW_GATEWAY_PASSWORD");
  assert.match((await settle({ auth: { mode: "password" } })).warnings.join(), /no password is set/u);
  await assert.rejects(kept());
});
