// What a Gateway leaves behind of its lives, for whoever asks later: a real process, ended in every way.

import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await createGatewayProcess({ config: { commands: { restart: true } } });
});
after(() => gateway?.dispose());

type Line = Record<string, unknown> & { kind: string };
const file = () => join(gateway.folder, "state", "logs", "timeline.jsonl");
const read = async (): Promise<Line[]> => {
  const text = await readFile(file(), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
};
const kinds = async () => (await read()).map(({ kind }) => kind);

test("each life begins, serves and ends on the timeline, which only its owner can read (R45)", async () => {
  await gateway.start();
  const lives = (await read()).filter(({ kind }) => kind === "start");
  assert.equal(lives.length, 1);
  const up = (await read()).find(({ kind }) => kind === "up");
  const steps = up?.["steps"] as [string, number][];
  assert.deepEqual(
    steps.map(([name]) => name),
    ["config", "lock", "port", "rooms"],
  );
  assert.equal((await stat(file())).mode & 0o777, 0o600);
  await gateway.stop();
  assert.deepEqual(await kinds(), ["start", "up", "stopping", "minute", "stopped"]);
  assert.equal((await read()).find(({ kind }) => kind === "stopping")?.["why"], "SIGTERM");
});

test("a restart in the process, and a changed config with its keys and without its values (R45)", async () => {
  await gateway.start();
  const known = (await read()).length;
  process.kill(gateway.pid(), "SIGUSR1");
  await until(async () => (await kinds()).slice(known).filter((kind) => kind === "up").length > 0, 10_000);
  const path = join(gateway.folder, "state", "openclaw.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, messages: { responsePrefix: "planted-value" } }));
  await until(async () => (await kinds()).includes("config"), 10_000);
  const line = (await read()).find(({ kind }) => kind === "config");
  assert.deepEqual([line?.["by"], line?.["effect"], line?.["paths"]], ["file", "hot", ["messages.responsePrefix"]]);
  await writeFile(path, "{ broken");
  await until(async () => (await kinds()).includes("config-refused"), 15_000);
  assert.doesNotMatch(await readFile(file(), "utf8"), /planted-value/u);
  await writeFile(path, JSON.stringify(config));
});

test("after kill -9 nothing tells of an end, and the next life begins on a new line (R45)", async () => {
  await gateway.stop("SIGKILL");
  const cut = await read();
  assert.notEqual(cut.at(-1)?.kind, "stopped");
  await gateway.start();
  await gateway.stop();
  const lines = await read();
  assert.equal(lines[cut.length]?.kind, "start");
  assert.equal(lines.at(-1)?.kind, "stopped");
});
