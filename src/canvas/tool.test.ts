import assert from "node:assert/strict";
import { test } from "node:test";

import { parseRunId, parseSessionKey, systemIds } from "../base/ids.ts";
import { createCanvasTool } from "./tool.ts";

test("S11: a turn that the owner did not ask for reaches no node's screen", async () => {
  const ran: string[] = [];
  const tool = createCanvasTool({
    nodes: () => ({
      connected: async () => [{ nodeId: "n", name: "Kitchen", commands: ["canvas.present", "canvas.a2ui.pushJSONL"] }],
      run: async ({ command }) => void ran.push(command),
    }),
    canvas: () => ({
      canvas: {
        boards: async () => ({
          push: async () => new Map(),
          reset: async () => undefined,
          look: async () => ({ version: 0, effectKey: "", surfaces: new Map() }),
          watch: () => () => undefined,
          countPages: () => 0,
        }),
      },
      root: () => "/nowhere",
      isEnabled: () => true,
    }),
    command: (words) => words,
    ids: systemIds,
  });
  const use = (params: Record<string, unknown>, isOwner: boolean) =>
    tool.run(
      params,
      {
        runId: parseRunId("r"),
        effectKey: "r:0",
        sessionKey: parseSessionKey("agent:main:main"),
        agentId: "main",
        origin: undefined,
        isOwner,
        model: "m",
      },
      new AbortController().signal,
    );
  const jsonl = '{"deleteSurface":{"surfaceId":"s"}}';
  await assert.rejects(use({ action: "present" }, false), { code: "forbidden" });
  await assert.rejects(use({ action: "a2ui_push", jsonl, node: "Kitchen" }, false), { code: "forbidden" });
  assert.doesNotMatch(await use({ action: "a2ui_push", jsonl }, false), /Kitchen/u);
  assert.deepEqual(ran, []);
  await use({ action: "present" }, true);
  assert.match(await use({ action: "a2ui_push", jsonl }, true), /Kitchen/u);
  assert.deepEqual(ran, ["canvas.present", "canvas.a2ui.pushJSONL"]);
});
