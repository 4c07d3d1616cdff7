import assert from "node:assert/strict";
import { test } from "node:test";

import { matchNodes, type NodeEntry } from "./find.ts";

const node = (nodeId: string, extra: Partial<NodeEntry> = {}): NodeEntry => ({
  nodeId,
  caps: [],
  commands: [],
  paired: true,
  connected: false,
  ...extra,
});
const nodes = [
  node("abcdef01", { displayName: "Shelf", remoteIp: "10.0.0.2" }),
  node("abcdef02", { displayName: "shelf", connected: true }),
  node("abcdef03", { displayName: "abcdef01" }),
  node("123456", { displayName: "Attic" }),
];
const idsOf = (given: string) => matchNodes(nodes, given).map(({ nodeId }) => nodeId);

test("the id goes before the name, the name before the address, and that before the beginning of the id", () => {
  assert.deepEqual(idsOf("abcdef01"), ["abcdef01"]);
  assert.deepEqual(idsOf("ATTIC"), ["123456"]);
  assert.deepEqual(idsOf("10.0.0.2"), ["abcdef01"]);
  assert.deepEqual(idsOf("123456"), ["123456"]);
  assert.deepEqual(idsOf("12345"), [], "too short to be the beginning of an id");
});

test("of several the one that is connected is meant; else all are named", () => {
  assert.deepEqual(idsOf("shelf"), ["abcdef02"]);
  assert.deepEqual(idsOf("ABCDEF"), ["abcdef02"]);
  assert.deepEqual(matchNodes([nodes[0]!, nodes[2]!], "abcdef").length, 2);
});
