// What strangers and broken clients send: the right answer to each, nobody else disturbed, memory flat. The server and its
// clients share this process, so its memory is that of both.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { WebSocket } from "ws";

import { badFirstFrames, badFrames } from "../kit/bad-frames.ts";
import { openServerKit, secret, type ServerKit } from "../kit/gateway-server.ts";
import { createRandom, type Random } from "../kit/random.ts";
import { openRawClient } from "../kit/raw-client.ts";

const frames = Number(process.env["BAD_INPUT_FRAMES"] ?? 100_000);
const seed = Number(process.env["BAD_INPUT_SEED"] ?? 20_260);
const maxGrowthBytes = 24 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function memory(): { heap: number; rss: number } {
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

/** Sends `count` wrong frames and waits for the answer to a good one after each 500: what is sent is also read. */
async function flood(kit: ServerKit, count: number, random: Random): Promise<Map<string, number>> {
  const socket = new WebSocket(kit.url);
  const codes = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString("utf8")) as { id?: string; type: string; error?: { code: string } };
    if (frame.type !== "res") return;
    waiting.get(frame.id ?? "")?.();
    if (frame.error) codes.set(frame.error.code, (codes.get(frame.error.code) ?? 0) + 1);
  });
  const call = (id: string, method: string, params: object) =>
    new Promise<void>((resolve, reject) => {
      waiting.set(id, () => {
        waiting.delete(id);
        resolve();
      });
      socket.once("close", (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
      socket.send(JSON.stringify({ type: "req", id, method, params }));
    });
  socket.setMaxListeners(0);
  await new Promise((resolve) => socket.once("open", resolve));
  await call("hello", "connect", {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "flood", version: "1", platform: "linux", mode: "cli" },
    auth: { token: secret },
    scopes: ["operator.admin"],
  });
  for (let sent = 0; sent < count; sent += 1) {
    socket.send(badFrames[random(badFrames.length)]?.(sent) ?? "");
    if (sent % 500 === 499) {
      await call(`check-${sent}`, "health", {});
      socket.removeAllListeners("close");
    }
  }
  await new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.close();
  });
  return codes;
}

/** Connections that never get in, each wrong in its own way. */
async function knock(kit: ServerKit, count: number): Promise<Map<number, number>> {
  const codes = new Map<number, number>();
  for (let done = 0; done < count; done += badFirstFrames.length)
    await Promise.all(
      badFirstFrames.map(async (first) => {
        // as if through a proxy: wrong secrets from there must not shut out who connects directly
        const client = await openRawClient(kit.port, "", { "x-forwarded-for": "203.0.113.7" });
        client.send(first);
        const { code } = await client.closed;
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }),
    );
  return codes;
}

test(`${frames} wrong frames get typed errors, disturb nobody and leave no memory behind (seed ${seed}) (RB-81, RB-90)`, async (context) => {
  const kit = await openServerKit({ handlers: { health: async () => "fine", send: async () => "sent" } });
  context.after(() => kit.stop());
  const witness = await openRawClient(kit.port, secret);
  assert.equal((await witness.connect()).ok, true);
  let worstMs = 0;
  let checks = 0;
  const watch = async (until: Promise<unknown>) => {
    const done = until.then(() => "done");
    while ((await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20))])) !== "done") {
      const startedAt = performance.now();
      const answer = await witness.request("health", {});
      worstMs = Math.max(worstMs, performance.now() - startedAt);
      checks += 1;
      assert.equal(answer.payload, "fine");
    }
    return until;
  };

  const random = createRandom(seed);
  const warmUp = Math.ceil(frames / 5);
  await watch(flood(kit, warmUp, random));
  await watch(knock(kit, 80));
  const before = memory();
  const flooding = flood(kit, frames - warmUp, random);
  await watch(flooding);
  const knocked = await knock(kit, 400);
  const after = memory();

  const codes = await flooding;
  context.diagnostic(`errors ${JSON.stringify([...codes])}, closes ${JSON.stringify([...knocked])}`);
  context.diagnostic(`heap ${before.heap} -> ${after.heap}, rss ${before.rss} -> ${after.rss}`);
  context.diagnostic(`another client was answered ${checks} times, at worst after ${Math.round(worstMs)} ms`);
  assert.deepEqual([...codes.keys()], ["INVALID_REQUEST"], "every wrong frame is the sender's fault");
  assert.deepEqual([...knocked.keys()].toSorted(), [1000, 1008, 1009]);
  assert.ok(checks > 10);
  assert.ok(worstMs < 1_000, `another client waited ${worstMs} ms`);
  assert.ok(after.heap - before.heap < maxGrowthBytes, `heap grew by ${after.heap - before.heap}`);
  assert.ok(after.rss - before.rss < 3 * maxGrowthBytes, `resident memory grew by ${after.rss - before.rss}`);
  assert.equal([...kit.server.connections()].length, 1);
  assert.ok(
    !kit.lines.some((line) => line.startsWith("error")),
    kit.lines.find((line) => line.startsWith("error")) ?? "",
  );
  assert.equal(({} as { to?: unknown; y?: unknown }).to ?? ({} as { y?: unknown }).y, undefined);
});
