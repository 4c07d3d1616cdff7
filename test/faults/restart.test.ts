// Restarts in the process, stops in mid-turn and starts after kill -9, again and again: nothing lost, nothing doubled, and after many
// lives the process holds what it held in its first (R1, R14, R43, T4, T28, T30). FAULTS_ROUNDS chooses how often.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { until } from "../kit/conversation.ts";
import {
  createGatewayProcess,
  mockProvider,
  startGatewayProcess,
  type GatewayProcess,
} from "../kit/gateway-process.ts";
import { startModelServer, type ModelCall, type ModelServer } from "../kit/model-server.ts";
import { readFigures, readSleeps, type Figures } from "../kit/process-figures.ts";
import { submit } from "../kit/submit.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

const rounds = Number(process.env["FAULTS_ROUNDS"] ?? 50);
const telegramChats = [101, 102, 103];
/** Sessions that a client talks in; their replies are delivered to Telegram chats of the same number. */
const clientChats = [201, 202, 203];

interface Scene {
  readonly telegram: FakeTelegram;
  readonly model: ModelServer;
  readonly gateway: GatewayProcess;
  /** Replies that people see, by chat. */
  replies(chat: number): string[];
  starts(): number;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function lastWords({ messages }: ModelCall): string {
  const said = messages.findLast(({ role }) => role === "user")?.content;
  return typeof said === "string" ? said : (said as { text: string }[]).map((part) => part.text).join("");
}

/** Loaded before anything else: on SIGWINCH it tells what is alive in the process, garbage collected. */
const teller = `process.on("SIGWINCH", () => {
  for (let round = 0; round < 4; round += 1) globalThis.gc();
  const handles = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1e5) / 10;
  process.stdout.write("figures " + JSON.stringify({ heapMb, handles }) + "\\n");
});`;
const hook = `data:text/javascript,${encodeURIComponent(teller)}`;

/** `answer` may hold the model's answer back. */
async function play(answer: (call: ModelCall) => Promise<void>, act: (scene: Scene) => Promise<void>): Promise<void> {
  const telegram = await startFakeTelegram();
  const model = await startModelServer(async (call) => {
    await answer(call);
    return `re ${lastWords(call)}`;
  });
  const gateway = await createGatewayProcess({
    env: { NODE_OPTIONS: `--expose-gc --import=${hook}` },
    config: {
      commands: { restart: true },
      agents: { defaults: { model: "mock/first" } },
      models: { providers: mockProvider(model.baseUrl) },
      channels: {
        telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, dmPolicy: "open", allowFrom: ["*"] },
      },
    },
  });
  const replies = (chat: number) =>
    telegram.calls
      .filter(({ method, body }) => method === "sendMessage" && Number(body["chat_id"]) === chat)
      .map(({ body }) => String(body["text"]));
  try {
    await gateway.start();
    await act({
      telegram,
      model,
      gateway,
      replies,
      starts: () => gateway.output().match(/listening on ws/gu)?.length ?? 0,
    });
  } finally {
    await gateway.dispose();
    await telegram.close();
    await model.close();
  }
}

/** Messages of all chats until it is ended. @returns what was said, by chat, once all of it is in. */
function startLoad({ telegram, gateway }: Scene, word: string): () => Promise<ReadonlyMap<number, readonly string[]>> {
  const said = new Map([...telegramChats, ...clientChats].map((chat) => [chat, [] as string[]]));
  let isOver = false;
  const talk = async (chat: number, send: (text: string) => void | Promise<void>) => {
    for (let count = 1; !isOver; count += 1) {
      const text = `${chat} says ${word} ${count}`;
      await send(text);
      said.get(chat)?.push(text);
      await pause(30 + randomInt(60));
    }
  };
  const talks = [
    ...telegramChats.map((chat) => talk(chat, (text) => telegram.addMessage({ chatId: chat, text }))),
    ...clientChats.map((chat) => talk(chat, (text) => submit(gateway, chat, text))),
  ];
  return async () => {
    isOver = true;
    await Promise.all(talks);
    return said;
  };
}

async function untilAnswered({ replies }: Scene, said: ReadonlyMap<number, readonly string[]>): Promise<number> {
  const isDone = () => [...said].every(([chat, texts]) => replies(chat).length >= texts.length);
  await until(isDone, 60_000).catch(() => undefined);
  // a second reply to anything would come at once
  await pause(1_000);
  for (const [chat, texts] of said) {
    assert.deepEqual(
      replies(chat),
      texts.map((text) => `re ${text}`),
      `chat ${chat}: each answered once, in order`,
    );
  }
  return [...said.values()].flat().length;
}

interface Rest extends Figures {
  /** In three seconds. */
  readonly sleeps: number;
  /** Live objects, MB. */
  readonly heapMb: number;
  /** Timers and sockets. */
  readonly handles: Readonly<Record<string, number>>;
}

/** With nobody connected, and nothing to do but what a Gateway does by itself. */
async function atRest({ gateway }: Scene): Promise<Rest> {
  const pid = gateway.pid();
  await pause(2_500);
  const before = await readSleeps(pid);
  await pause(3_000);
  const sleeps = (await readSleeps(pid)) - before;
  const told = () => gateway.output().match(/^figures .*$/gmu) ?? [];
  // the engine gives back the room of what it has collected at its leisure
  for (let round = 1; round <= 5; round += 1) {
    const count = told().length;
    process.kill(pid, "SIGWINCH");
    await until(() => told().length > count, 10_000);
    await pause(1_000);
  }
  const alive = JSON.parse(told().at(-1)?.slice("figures ".length) ?? "") as Pick<Rest, "heapMb" | "handles">;
  return { ...(await readFigures(pid)), ...alive, sleeps };
}

const render = ({ descriptors, threads, residentMb, ownMb, heapMb, handles, sleeps }: Rest) =>
  `${Object.values(descriptors).reduce((sum, count) => sum + count, 0)} descriptors, ${threads} threads, ` +
  `${heapMb} MB alive, ${ownMb} MB its own of ${residentMb} MB, ${JSON.stringify(handles)}, ${sleeps} sleeps in 3 s`;

test(
  `SIGUSR1 ${rounds} times under load: none lost, none doubled, order kept, same process, and it holds what it held at first (R43, T30)`,
  {
    skip: process.platform !== "linux",
  },
  async (context: TestContext) => {
    const took: number[] = [];
    await play(
      () => pause(randomInt(80)),
      async (scene) => {
        const { gateway, starts } = scene;
        const pid = gateway.pid();
        // what is loaded at the first turn is not left over from a restart
        const warm = startLoad(scene, "early");
        await pause(2_000);
        const early = await warm();
        await untilAnswered(scene, early);
        const before = await atRest(scene);

        scene.telegram.calls.splice(0);
        const end = startLoad(scene, "late");
        for (let round = 1; round <= rounds; round += 1) {
          await pause(randomInt(400));
          const from = performance.now();
          process.kill(pid, round % 5 === 0 ? "SIGUSR2" : "SIGUSR1");
          await until(() => starts() > round, 30_000);
          took.push(performance.now() - from);
        }
        const total = await untilAnswered(scene, await end());
        assert.deepEqual(
          [starts(), gateway.pid()],
          [rounds + 1, pid],
          "each signal is one restart, of the same process",
        );

        const after = await atRest(scene);
        context.diagnostic(`${rounds} restarts, ${total} messages; each took ${renderTimes(took)}`);
        context.diagnostic(`at first: ${render(before)}`);
        context.diagnostic(`at last: ${render(after)}`);
        const { socket: sockets = 0, ...others } = after.descriptors;
        const { socket: socketsBefore = 0, ...othersBefore } = before.descriptors;
        assert.deepEqual(others, othersBefore);
        assert.ok(sockets <= socketsBefore + 2, `${sockets} sockets, ${socketsBefore} at first`);
        assert.equal(after.threads, before.threads);
        assert.ok(after.sleeps <= before.sleeps * 1.5 + 30, "nothing of earlier lives still ticks");
        for (const kind of new Set([...Object.keys(before.handles), ...Object.keys(after.handles)])) {
          const [now = 0, then = 0] = [after.handles[kind], before.handles[kind]];
          assert.ok(now <= then + 2, `${now} ${kind}, ${then} at first`);
        }
        assert.ok(after.heapMb <= before.heapMb + 8, `${after.heapMb} MB alive, ${before.heapMb} at first`);
        // the engine keeps some of the room that it once needed under load
        assert.ok(after.ownMb <= before.ownMb + 48, `${after.ownMb} MB of its own, ${before.ownMb} at first`);
      },
    );
  },
);

test(
  `SIGUSR1 ${rounds} times with nothing to do: when it has come to rest its memory is that of its first life (R43, T30)`,
  {
    skip: process.platform !== "linux",
  },
  async (context) => {
    const gateway = await startGatewayProcess({ config: { commands: { restart: true } } });
    context.after(() => gateway.dispose());
    const starts = () => gateway.output().match(/listening on ws/gu)?.length ?? 0;
    const ownMb = async () => (await readFigures(gateway.pid())).ownMb;
    // the engine tidies up by itself some seconds after the last work
    await pause(15_000);
    const before = await ownMb();
    for (let round = 1; round <= rounds; round += 1) {
      process.kill(gateway.pid(), "SIGUSR1");
      await until(() => starts() > round, 30_000);
      await pause(200);
    }
    const busy = await ownMb();
    await until(async () => (await ownMb()) <= before + 4, 60_000).catch(() => undefined);
    const after = await readFigures(gateway.pid());
    context.diagnostic(`its own: ${before} MB at first, ${busy} at the last restart, ${after.ownMb} at rest`);
    assert.ok(after.ownMb <= before + 4, `${after.ownMb} MB of its own, ${before} at first`);
  },
);

test(`SIGTERM in mid-turn ${rounds} times: exit 0 each time, and exactly one reply to everything (T4)`, async (context) => {
  let held: (() => void)[] = [];
  await play(
    () => new Promise((resolve) => void held.push(resolve)),
    async (scene) => {
      const { gateway, telegram } = scene;
      const said = new Map([...telegramChats, ...clientChats].map((chat) => [chat, [] as string[]]));
      const release = () => held.splice(0).forEach((give) => give());
      for (let round = 1; round <= rounds; round += 1) {
        const [chat = 0, client = 0] = [telegramChats[round % 3], clientChats[round % 3]];
        for (const [number, text] of [
          [chat, `${chat} says ${round}`],
          [client, `${client} says ${round}`],
        ] as const)
          said.get(number)?.push(text);
        telegram.addMessage({ chatId: chat, text: `${chat} says ${round}` });
        await submit(gateway, client, `${client} says ${round}`);
        await until(() => held.length === 2, 30_000);
        const ended = gateway.stop("SIGTERM");
        if (round % 2 === 0) {
          // in time: answered before it ends
          await pause(randomInt(100));
          release();
        } else {
          // too late: cut off by the second signal, and asked again at the next start
          await until(() => (gateway.output().match(/shutting down/gu)?.length ?? 0) === round, 10_000);
          gateway.again("SIGTERM");
        }
        assert.equal(await ended, 0);
        held = [];
        await gateway.start();
        if (round % 2 === 1) {
          await until(() => held.length === 2, 30_000);
          release();
        }
      }
      const total = await untilAnswered(scene, said);
      context.diagnostic(`${rounds} stops, ${total} turns under way, one reply each`);
    },
  );
});

test(`start after kill -9 ${rounds * 2} times, with lock files of strangers, of the dead and of nobody: each starts, soon (R14, T28)`, async (context) => {
  const took: number[] = [];
  await play(
    async () => undefined,
    async ({ gateway }) => {
      const state = join(gateway.folder, "state");
      for (let round = 1; round <= rounds * 2; round += 1) {
        if (round % 3 === 0) await pause(randomInt(50));
        const pid = gateway.pid();
        await gateway.stop("SIGKILL");
        // a number that somebody else has now; the dead one's own; that of the first process; no number at all
        const owner = [process.pid, pid, 1, undefined][round % 4];
        const text = owner === undefined ? "{" : JSON.stringify({ pid: owner, port: gateway.port, startedAt: 1 });
        await writeFile(join(state, "gateway.lock.json"), text);
        await writeFile(join(gateway.folder, `gateway.${round}.lock`), text);
        const from = performance.now();
        await gateway.start();
        took.push(performance.now() - from);
      }
      context.diagnostic(`${took.length} starts after kill -9: each took ${renderTimes(took)}`);
      const sorted = took.toSorted((a, b) => a - b);
      assert.ok((sorted[Math.floor(sorted.length / 2)] ?? 0) < 2_000, renderTimes(took));
    },
  );
});

function renderTimes(took: readonly number[]): string {
  const sorted = took.toSorted((a, b) => a - b).map((ms) => Math.round(ms));
  return `${sorted[Math.floor(sorted.length / 2)]} ms (median), at most ${sorted.at(-1)} ms`;
}
