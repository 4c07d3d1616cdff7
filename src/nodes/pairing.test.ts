import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createFakeNode } from "../../test/kit/node-link.ts";
import { openNodesKit, type NodesKit } from "../../test/kit/nodes.ts";
import { maxPending, requestTtlMs } from "./pairing.ts";

let kit: NodesKit;
beforeEach(async () => {
  kit = await openNodesKit();
});
afterEach(() => kit.stop());

const pair = async (nodeId: string) => {
  const { request } = await kit.call("node.pair.request", { nodeId, displayName: "Shelf", caps: ["system"] });
  return (await kit.call("node.pair.approve", { requestId: request.requestId })).node;
};
const eventsOf = (name: string) => kit.events.filter((event) => event.name === name).map(({ payload }) => payload);

test("a request is told once, approved once, and gives a token that works (RB-72)", async () => {
  const { request, created, status } = await kit.call("node.pair.request", { nodeId: "n", displayName: "Shelf" });
  assert.deepEqual(
    { status, created, isRepair: request.isRepair },
    { status: "pending", created: true, isRepair: false },
  );
  const again = await kit.call("node.pair.request", { nodeId: "n" });
  assert.deepEqual([again.created, again.request.requestId], [false, request.requestId]);
  assert.deepEqual(eventsOf("node.pair.requested"), [request]);

  const { node } = await kit.call("node.pair.approve", { requestId: request.requestId });
  assert.match(node.token, /^[0-9a-f]{32}$/u);
  assert.deepEqual(eventsOf("node.pair.resolved"), [
    { requestId: request.requestId, nodeId: "n", decision: "approved", ts: kit.clock.now() },
  ]);
  const verified = await kit.call("node.pair.verify", { nodeId: "n", token: node.token });
  assert.equal(verified.ok, true);
  assert.equal(verified.node?.displayName, "Shelf");
  await assert.rejects(kit.call("node.pair.approve", { requestId: request.requestId }), /unknown requestId/u);
});

test("tokens are kept as hashes, shown once, and end with the next approval or the removal", async () => {
  const first = await pair("n");
  const { pending, paired } = await kit.call("node.pair.list", {});
  assert.deepEqual([pending.length, paired.length], [0, 1]);
  assert.ok(!JSON.stringify(paired).includes(first.token));
  await kit.reopen();
  for (const suffix of ["", "-wal"]) {
    const bytes = await readFile(join(kit.folder, `gateway.sqlite${suffix}`), "latin1").catch(() => "");
    assert.ok(!bytes.includes(first.token), "the token is in the file");
  }
  const { request } = await kit.call("node.pair.request", { nodeId: "n" });
  assert.equal(request.isRepair, true);
  const second = (await kit.call("node.pair.approve", { requestId: request.requestId })).node;
  assert.equal((await kit.call("node.pair.verify", { nodeId: "n", token: first.token })).ok, false);
  assert.equal((await kit.call("node.pair.verify", { nodeId: "n", token: second.token })).ok, true);

  const live = createFakeNode("n");
  kit.nodes().links.attach(live);
  await kit.call("node.pair.remove", { nodeId: "n" });
  assert.equal((await kit.call("node.pair.verify", { nodeId: "n", token: second.token })).ok, false);
  assert.equal(live.closed[0]?.code, 1008);
  await assert.rejects(kit.call("node.pair.remove", { nodeId: "n" }), /unknown nodeId/u);
});

test("a request that nobody decides on is forgotten, also over a restart", async () => {
  const { request } = await kit.call("node.pair.request", { nodeId: "n" });
  await kit.clock.advance(requestTtlMs - 1);
  await kit.reopen();
  assert.equal((await kit.call("node.pair.list", {})).pending.length, 1);
  await kit.clock.advance(2);
  await assert.rejects(kit.call("node.pair.approve", { requestId: request.requestId }), /unknown requestId/u);
  assert.equal((await kit.call("node.pair.list", {})).pending.length, 0);
});

test("a rejected request is gone and pairs nobody", async () => {
  const { request } = await kit.call("node.pair.request", { nodeId: "n" });
  assert.deepEqual(await kit.call("node.pair.reject", { requestId: request.requestId }), {
    requestId: request.requestId,
    nodeId: "n",
  });
  assert.deepEqual((await kit.call("node.pair.list", {})).paired, []);
  assert.deepEqual(
    eventsOf("node.pair.resolved").map((payload) => (payload as { decision: string }).decision),
    ["rejected"],
  );
});

test("the number of open requests has an end", async () => {
  for (let count = 0; count < maxPending; count += 1) await kit.call("node.pair.request", { nodeId: `n${count}` });
  await assert.rejects(kit.call("node.pair.request", { nodeId: "one more" }), /waiting for a decision/u);
});

test("after too many wrong tokens the right one has to wait as well", async () => {
  const { token } = await pair("n");
  for (let count = 0; count < 5; count += 1) {
    const nodeId = count % 2 === 0 ? "n" : "nobody";
    assert.deepEqual(await kit.call("node.pair.verify", { nodeId, token: `wrong ${count}` }), { ok: false });
  }
  await assert.rejects(kit.call("node.pair.verify", { nodeId: "n", token }), /too many wrong tokens/u);
});

test("what a request brings beyond its known fields is not kept", async () => {
  const params = { nodeId: "n", displayName: "x", token: "mine", remoteIp: "10.0.0.9" };
  const { request } = await kit.call("node.pair.request", params);
  assert.deepEqual(Object.keys(request).toSorted(), [
    "displayName",
    "isRepair",
    "nodeId",
    "remoteIp",
    "requestId",
    "ts",
  ]);
});
