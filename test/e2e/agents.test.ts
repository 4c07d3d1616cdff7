// Agents made over the wire work at once, each with its own model.

import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { mockProvider, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
let models: ModelServer;
let owner: RawClient;
before(async () => {
  models = await startModelServer(({ model }) => `I am ${model}`);
  gateway = await startGatewayProcess({
    config: {
      agents: { defaults: { model: "mock/common" } },
      models: { providers: mockProvider(models.baseUrl) },
    },
  });
  owner = await openRawClient(gateway.port, gateway.token);
  await owner.connect();
});
after(async () => {
  owner?.close();
  await gateway?.dispose();
  await models?.close();
});

const ask = async (agentId: string) => {
  const { code, stdout, stderr } = await gateway.cli("agent", "--agent", agentId, "--message", "who are you?");
  return code === 0 ? stdout : stderr;
};

test("a new agent answers with its own model, a changed one with that of all, a deleted one not at all (RB-32)", async () => {
  const made = await owner.request("agents.create", { name: "Home Office", model: "mock/special" });
  assert.equal(made.ok, true, JSON.stringify(made.error));
  assert.equal(made.payload?.["workspace"], join(gateway.folder, ".openclaw", "workspace-home-office"));
  assert.equal((await stat(String(made.payload?.["workspace"]))).mode & 0o777, 0o700);
  assert.match(await ask("home-office"), /I am special/u);
  assert.match(await ask("main"), /I am common/u);

  const { payload } = await owner.request("agents.list");
  const listed = payload?.["agents"] as { id: string; model: { primary: string } }[];
  assert.deepEqual(
    listed.map(({ id, model }) => [id, model.primary]),
    [
      ["main", "mock/common"],
      ["home-office", "mock/special"],
    ],
  );

  await owner.request("agents.update", { agentId: "home-office", model: null });
  assert.match(await ask("home-office"), /I am common/u);
  assert.equal((await owner.request("agents.delete", { agentId: "home-office" })).ok, true);
  assert.match(await ask("home-office"), /unknown agent/u);
  const refused = await owner.request("agents.delete", { agentId: "main" });
  assert.match(refused.error?.message ?? "", /stays/u);
});

test("an agent's picture lies in its workspace, and is shown over HTTP to who shows the secret", async () => {
  const made = await owner.request("agents.create", { name: "Painter", avatar: "me.png" });
  assert.equal(made.ok, true, JSON.stringify(made.error));
  await writeFile(join(String(made.payload?.["workspace"]), "me.png"), "a picture");
  const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${gateway.token}` }) =>
    fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });
  const picture = await get("/avatar/painter");
  assert.deepEqual([picture.status, await picture.text()], [200, "a picture"]);
  assert.deepEqual(await (await get("/avatar/painter?meta=1")).json(), { avatarUrl: "/avatar/painter" });
  assert.deepEqual(await (await get("/avatar/main?meta=1")).json(), { avatarUrl: null });
  assert.equal((await get("/avatar/painter", {})).status, 401);
  assert.equal((await get("/avatar/nobody")).status, 404);
});
