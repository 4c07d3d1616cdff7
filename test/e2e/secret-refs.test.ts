// Secrets by reference in a real Gateway: its own token in a file, replaced while it runs.

import assert from "node:assert/strict";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { createGatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

const isLetIn = async (port: number, token: string) => {
  const client = await openRawClient(port, token);
  const { ok } = await client.connect();
  client.close();
  return ok === true;
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, "in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the Gateway's token stands in a file: a new one counts at once, a lost one changes nothing, and no answer shows it", async (context) => {
  const gateway = await createGatewayProcess({
    config: {
      gateway: {
        mode: "local",
        reload: { debounceMs: 20 },
        auth: { token: { source: "file", path: "gateway-secret" } },
      },
    },
    env: { OPENCLAW_GATEWAY_TOKEN: "" },
  });
  context.after(() => gateway.dispose());
  const file = join(gateway.folder, "state", "gateway-secret");
  const put = async (text: string) => {
    await writeFile(file, text);
    await chmod(file, 0o600);
  };
  await put("first-token-0123456789\n");
  await gateway.start();
  assert.equal(await isLetIn(gateway.port, "first-token-0123456789"), true);

  await put("second-token-0123456789\n");
  await until(() => isLetIn(gateway.port, "second-token-0123456789"));
  assert.equal(await isLetIn(gateway.port, "first-token-0123456789"), false);

  await rm(file);
  await until(async () => {
    const { stdout } = await gateway.cli("health", "--json", "--token", "second-token-0123456789");
    return /gateway-secret cannot be used/u.test(stdout);
  });
  assert.equal(await isLetIn(gateway.port, "second-token-0123456789"), true);

  await put("third-token-0123456789\n");
  await until(() => isLetIn(gateway.port, "third-token-0123456789"));
  const commands = [
    "config get gateway",
    "config get gateway.auth",
    "gateway call config.get --json",
    "gateway status",
  ];
  for (const command of commands) {
    const { stdout, stderr } = await gateway.cli(...command.split(" "));
    assert.doesNotMatch(`${stdout}${stderr}`, /-token-0123456789/u, command);
  }
  assert.doesNotMatch(gateway.output(), /-token-0123456789/u);
  // a change of another key leaves the reference as it is
  const set = await gateway.cli("config", "set", "gateway.reload.debounceMs", "30");
  assert.equal(set.code, 0, set.stderr);
  const text = await readFile(join(gateway.folder, "state", "openclaw.json"), "utf8");
  assert.match(text, /"source":"file","path":"gateway-secret"/u);
});
