// A config file of an older program under a real Gateway: it works, and it is said; the file is its owner's.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { createGatewayProcess } from "../kit/gateway-process.ts";

const made: { dispose(): Promise<void> }[] = [];
after(() => Promise.all(made.map((one) => one.dispose())));

const text = `{
  gateway: { mode: "local", token: "an-older-token-1234" }, // the door
  agent: { model: "offline/demo" },
}
`;

test("older keys count, the log and health name each of them, and the file stays as it is", async () => {
  const gateway = await createGatewayProcess({ env: { OPENCLAW_GATEWAY_TOKEN: "" } });
  made.push(gateway);
  const file = join(gateway.folder, "state", "openclaw.json");
  await writeFile(file, text);
  await gateway.start();
  const named = [
    `${file}:2:29 gateway.token: an older key, now gateway.auth.token`,
    `${file}:3:3 agent: an older key, now agents.defaults`,
  ];
  const health = await gateway.cli("health", "--json");
  for (const line of named) assert.ok(gateway.output().includes(line), gateway.output());
  assert.equal(health.code, 0, "the older token opens the door on both sides");
  const { problems } = JSON.parse(health.stdout) as { problems: { message: string }[] };
  assert.deepEqual(
    problems.map(({ message }) => message),
    named,
  );
  const validated = await gateway.cli("config", "validate");
  assert.deepEqual([validated.code, validated.stdout], [0, `${file} is valid.\n`]);
  assert.match(validated.stderr, /warning: .*gateway\.token: an older key/u);
  assert.equal(await readFile(file, "utf8"), text);
  assert.doesNotMatch(gateway.output() + health.stdout + validated.stderr, /an-older-token/u);
});
