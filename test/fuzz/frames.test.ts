// Malformed frames against a real Gateway process: right requests of every method, changed at random in their structure or in their
// bytes, and garbage at every earlier stage of a connection. An oracle knows the answer to each; the process lives, stays as small as
// it was, and answers everybody else (T16). FUZZ_SEED and FUZZ_FRAMES replay a run.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { WebSocket } from "ws";

import { isNestedBeyond, isRecord, maxJsonDepth, parseJson } from "../../src/base/json.ts";
import { contract } from "../../src/protocol/contract.ts";
import { validateConnect, validateFrame, validateParams } from "../../src/protocol/validate.ts";
import { badFirstFrames, badFrames, mutateBytes, mutateValue } from "../kit/bad-frames.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { createRandom, type Random } from "../kit/random.ts";
import { connectParams, openRawClient, type Frame } from "../kit/raw-client.ts";
import { sample, type JsonSchema } from "../kit/schema-samples.ts";

const frames = Number(process.env["FUZZ_FRAMES"] ?? 20_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261);
const batch = 500;
/** Of every thousand frames so many are the first of a connection, and so many no WebSocket frames at all. */
const [knocksPerThousand, wiresPerThousand] = [20, 10];
const maxGrowthMb = 16;

const requests = Object.entries(contract).flatMap(([method, { params }]) =>
  (["least", "full"] as const).map((extent) => ({
    type: "req",
    id: "f",
    method,
    // a TypeBox schema is a JSON Schema
    params: sample(params as JsonSchema, extent),
  })),
);
const connectFrame = {
  type: "req",
  id: "f",
  method: "connect",
  params: connectParams("wrong", {
    caps: ["x"],
    role: "operator",
    device: { id: "a", publicKey: "b", signature: "c", signedAt: 1, nonce: "n" },
  }),
};

function makeFrame(random: Random, index: number): Buffer {
  const kind = random(10);
  if (kind === 0) return Buffer.from(badFrames[random(badFrames.length)]?.(index) ?? "");
  const request = requests[random(requests.length)];
  if (kind < 6) return spoil(Buffer.from(JSON.stringify(mutateValue(request, random)) ?? ""));
  return spoil(mutateBytes(Buffer.from(JSON.stringify(request)), random));
}

/** A request that is still right after all must not be carried out: it gets another method then. */
function spoil(bytes: Buffer): Buffer {
  const value = parseJson(bytes.toString("utf8"));
  if (value === undefined || validateFrame(value)) return bytes;
  // validateFrame has accepted it
  const frame = value as { method: string; params?: unknown };
  const isUnknown = !Object.hasOwn(contract, frame.method);
  if (isUnknown || validateParams(frame.method, frame.params ?? {})) return bytes;
  return Buffer.from(JSON.stringify({ ...frame, method: `${frame.method}\u0000` }));
}

/** The id under which a frame is refused; undefined for what is passed over in silence. */
function answerId(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  const value = parseJson(text);
  if (value === undefined) return isNestedBeyond(text, maxJsonDepth) ? "invalid" : undefined;
  const id = isRecord(value) ? value["id"] : undefined;
  return typeof id === "string" && id !== "" && id.length <= 512 ? id : "invalid";
}

interface Line {
  /** Sends the frames and one good request; resolves with the refusals that came before its answer. */
  exchange(frames: readonly Buffer[]): Promise<Frame[]>;
  close(): void;
}

async function openLine(gateway: GatewayProcess): Promise<Line> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}`);
  let answers: Frame[] = [];
  let finish: (error?: Error) => void = () => undefined;
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString("utf8")) as Frame;
    if (frame.type !== "res") return;
    if (frame.id === "good") finish();
    else answers.push(frame);
  });
  socket.on("close", (code, reason) => finish(new Error(`closed with ${code} ${reason.toString()}`)));
  const wait = (send: () => void) =>
    new Promise<void>((resolve, reject) => {
      finish = (error) => (error ? reject(error) : resolve());
      send();
    });
  const good = (method: string, params: object) => JSON.stringify({ type: "req", id: "good", method, params });
  await new Promise((resolve) => socket.once("open", resolve));
  await wait(() => socket.send(good("connect", connectParams(gateway.token))));
  return {
    async exchange(sent) {
      answers = [];
      await wait(() => {
        for (const frame of sent) socket.send(frame);
        socket.send(good("health", {}));
      });
      return answers;
    },
    close: () => socket.terminate(),
  };
}

/** The first frame of a connection, and the close that it must get. */
async function knock(port: number, random: Random): Promise<void> {
  const kind = random(3);
  const known = badFirstFrames[random(badFirstFrames.length)] ?? "";
  const changed = kind === 1 ? JSON.stringify(mutateValue(connectFrame, random)) : "";
  const frame =
    kind === 0
      ? Buffer.from(known)
      : kind === 1
        ? Buffer.from(changed)
        : mutateBytes(Buffer.from(JSON.stringify(connectFrame)), random);
  // as if through a proxy: wrong secrets from there do not shut out who connects directly
  const client = await openRawClient(port, "", { "x-forwarded-for": "203.0.113.7" });
  client.send(frame);
  const { code } = await client.closed;
  assert.ok(expectedCloses(frame).includes(code), `${code} for ${frame.subarray(0, 300).toString("utf8")}`);
  assert.ok(client.frames.every(({ ok }) => ok !== true));
}

function expectedCloses(frame: Buffer): number[] {
  if (frame.length > 64 * 1024) return [1009];
  const text = frame.toString("utf8");
  const value = parseJson(text);
  if (value === undefined) return [isNestedBeyond(text, maxJsonDepth) ? 1008 : 1000];
  if (validateFrame(value) || !isRecord(value) || value["method"] !== "connect") return [1008];
  return validateConnect(value["params"] ?? {}) ? [1008] : [1002, 1008];
}

/** Bytes of the WebSocket protocol that are against it, and the close that each must get; the last ones are no HTTP either. */
const wireFrames: readonly (readonly [name: string, bytes: readonly number[], code: number])[] = [
  ["a reserved bit", [0xc1, 0x80, 0, 0, 0, 0], 1002],
  ["a reserved opcode", [0x83, 0x80, 0, 0, 0, 0], 1002],
  ["no mask", [0x81, 0x01, 0x41], 1002],
  ["a control frame in parts", [0x09, 0x80, 0, 0, 0, 0], 1002],
  ["a long control frame", [0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0], 1002],
  ["a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002],
  ["a close code that nobody may send", [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01], 1002],
  ["text that is no UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
  ["2^62 bytes to come", [0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009],
  ["100 MB to come", [0x81, 0xff, 0, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0, 0], 1009],
];
const upgrade = (port: number) =>
  `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-forwarded-for: 203.0.113.7\r\n\r\n`;

/** Sends bytes over a bare connection, ends it, and resolves with all that came back. */
function exchangeBytes(port: number, parts: readonly (string | Buffer)[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1");
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => void received.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(Buffer.concat(received)));
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

async function wire(port: number, random: Random): Promise<void> {
  const [name, bytes, code] = wireFrames[random(wireFrames.length)] ?? ["", [], 0];
  const kind = random(3);
  if (kind === 0) await exchangeBytes(port, [upgrade(port), mutateBytes(Buffer.from(bytes), random)]);
  else if (kind === 1) await exchangeBytes(port, [mutateBytes(Buffer.from(upgrade(port)), random)]);
  else {
    const received = await exchangeBytes(port, [upgrade(port), Buffer.from(bytes)]);
    // the server's last frame: close, 2 or more bytes, the code first
    const at = received.lastIndexOf(Buffer.from([0x88]));
    assert.equal(at >= 0 ? received.readUInt16BE(at + 2) : 0, code, name);
  }
}

function residentMb(pid: number): number {
  if (process.platform !== "linux") return 0;
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test(`${frames} malformed frames (seed ${seed}): each has its answer, nothing breaks, nothing grows`, async (context) => {
  const gateway = await createGatewayProcess();
  context.after(() => gateway.dispose());
  await gateway.start();
  const pid = gateway.pid();
  const random = createRandom(seed);
  const line = await openLine(gateway);
  const counts = { refused: 0, ignored: 0, knocks: 0, wires: 0 };
  const memory: number[] = [];

  for (let sent = 0; sent < frames;) {
    const authenticated = Math.round((batch * (1_000 - knocksPerThousand - wiresPerThousand)) / 1_000);
    const made = Array.from({ length: authenticated }, (_, index) => makeFrame(random, sent + index));
    const expected = made.map(answerId).filter((id) => id !== undefined);
    const answers = await line.exchange(made);
    assert.deepEqual(
      answers.map(({ id }) => id),
      expected,
    );
    for (const { ok, error } of answers)
      assert.ok(ok === false && error?.code === "INVALID_REQUEST", JSON.stringify(error));
    counts.refused += answers.length;
    counts.ignored += made.length - answers.length;

    const knocks = Math.round((batch * knocksPerThousand) / 1_000);
    await Promise.all(Array.from({ length: knocks }, () => knock(gateway.port, random)));
    const wires = batch - authenticated - knocks;
    await Promise.all(Array.from({ length: wires }, () => wire(gateway.port, random)));
    counts.knocks += knocks;
    counts.wires += wires;
    sent += batch;
    memory.push(residentMb(pid));
  }
  line.close();

  const middle = memory.slice(Math.floor(memory.length / 3), Math.floor((memory.length * 2) / 3));
  const [before, after] = [Math.max(...middle), Math.min(...memory.slice(-Math.ceil(memory.length / 6)))];
  context.diagnostic(
    `${JSON.stringify(counts)}; resident ${before.toFixed(1)} -> ${after.toFixed(1)} MB (of ${memory.length} samples)`,
  );
  assert.equal(gateway.pid(), pid);
  assert.doesNotThrow(() => process.kill(pid, 0), "the process lives");
  const logs = readdirSync(join(gateway.folder, "log"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".log"),
  );
  assert.ok(logs.length > 0);
  for (const text of [gateway.output(), ...logs.map((name) => readFileSync(join(gateway.folder, "log", name), "utf8"))])
    assert.equal(
      /^.*(?:"level":"(?:error|fatal)"|unhandled|uncaught|broke|cannot answer).*$/imu.exec(text)?.[0],
      undefined,
    );
  assert.ok(after - before < maxGrowthMb, `resident memory grew from ${before} to ${after} MB`);
  const late = await openRawClient(gateway.port, gateway.token);
  assert.equal((await late.connect()).ok, true);
  assert.equal((await late.request("health")).ok, true);
  late.close();
  assert.equal(await gateway.stop(), 0);
});
