import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import fc from "fast-check";
import type { WebSocket } from "ws";

import { createManualClock } from "../../base/clock.ts";
import { parseSessionKey, systemIds } from "../../base/ids.ts";
import { silentLog } from "../../base/log.ts";
import { openGatewayDatabase } from "../../conversation/database.ts";
import { deleteSession, restartSession, touchSession } from "../../conversation/store/sessions.ts";
import type { Inbound } from "../../ports/message.ts";
import type { Caller } from "../../ports/method.ts";
import { createA2ui } from "./a2ui.ts";
import type { A2uiMessage } from "./messages.ts";
import { a2uiMigrations } from "./store.ts";

const caller: Caller = {
  connId: "c",
  principal: "p",
  role: "operator",
  scopes: ["operator.admin", "operator.write"],
  client: { id: "test", mode: "test", version: "1" },
  protocol: 4,
  isLocal: true,
  auth: "token",
};
const sessionKey = parseSessionKey("agent:main:main");
const capability = "cap";

type Told = Readonly<Record<string, unknown>>;

async function setUp(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "a2ui-"));
  const database = await openGatewayDatabase(join(folder, "db.sqlite"), { command: (words) => words }, a2uiMigrations);
  context.after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  const clock = createManualClock();
  const submitted: Inbound[] = [];
  const submit = async (inbound: Inbound) => {
    submitted.push(inbound);
    return { outcome: "dropped", reason: "test" } as const;
  };
  const { boards, loads, pages } = createA2ui({ database, clock, ids: systemIds, log: silentLog, submit });

  /** The other end of a socket: what is said to it, and why it was closed. */
  const open = (secret: string, { mayAct = true, by = capability, version = -1 } = {}) => {
    const told: Told[] = [];
    const socket = Object.assign(new EventEmitter(), {
      OPEN: 1,
      readyState: 1,
      bufferedAmount: 0,
      closed: undefined as number | undefined,
      send: (text: string) => told.push(JSON.parse(text) as Told),
      close(code: number) {
        socket.closed ??= code;
        socket.readyState = 3;
        socket.emit("close");
      },
    });
    // as much of a WebSocket as the room uses
    const isIn = pages.add(socket as unknown as WebSocket, {
      capability: by,
      holder: { caller, mayAct },
      leave: () => undefined,
    });
    const say = async (frame: unknown) => {
      socket.emit("message", Buffer.from(JSON.stringify(frame)), false);
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    return { isIn, told, socket, say, greet: () => say({ type: "hello", load: secret, version }) };
  };
  const push = (effectKey: string, ...messages: readonly A2uiMessage[]) =>
    boards.push({ sessionKey, effectKey }, messages);
  return { clock, database, boards, loads, submitted, open, push };
}

const text = (id: string) => ({ id, component: { Text: { text: { literalString: `about ${id}` } } } });
const button = { id: "go", component: { Button: { child: "label", action: { name: "submit" } } } };
const form: readonly A2uiMessage[] = [
  { surfaceUpdate: { surfaceId: "s", components: [button, text("label")] } },
  { beginRendering: { surfaceId: "s", root: "go" } },
];
const action = (id: string, change: object = {}) => ({
  type: "action",
  id,
  userAction: { name: "submit", surfaceId: "s", sourceComponentId: "go", timestamp: "now", context: {}, ...change },
});

test("a page shows what was pushed before and after it came, and nothing of it twice", async (context) => {
  const { loads, open, push, boards } = await setUp(context);
  await push("1", ...form);
  const page = open(loads.open(capability, sessionKey));
  await page.greet();
  assert.deepEqual(
    page.told.map(({ type, version, messages }) => [type, version, (messages as unknown[]).length]),
    [["state", 1, 2]],
  );
  await push("2", { dataModelUpdate: { surfaceId: "s", contents: [{ key: "a", valueString: "x" }] } });
  // a turn that resumes after a crash says it again (R1)
  await push("2", { dataModelUpdate: { surfaceId: "s", contents: [{ key: "a", valueString: "x" }] } });
  assert.deepEqual(
    page.told.slice(1).map(({ type, version }) => [type, version]),
    [["update", 2]],
  );
  const back = open(loads.open(capability, sessionKey), { version: 2 });
  await back.greet();
  assert.deepEqual(back.told, [{ type: "current", version: 2, mayAct: true }]);
  await boards.reset({ sessionKey, effectKey: "3" });
  for (const { told } of [page, back])
    assert.deepEqual(told.at(-1), { type: "state", version: 3, mayAct: true, messages: [] });
  assert.equal(boards.countPages(sessionKey), 2);
  page.socket.close(1000);
  assert.equal(boards.countPages(sessionKey), 1);
});

test("what was shown goes with its conversation: begun anew or deleted, nothing of it is there, and an open page follows", async (context) => {
  const { database, loads, open, push, submitted } = await setUp(context);
  const touch = { key: sessionKey, sessionId: "first", agentId: "main", now: 1 };
  // before the first turn there is no session yet
  await push("1", ...form);
  await database.write((sql) => touchSession(sql, touch));
  const page = open(loads.open(capability, sessionKey));
  await page.greet();
  assert.equal(page.told[0]?.["version"], 1);
  await push("2", { dataModelUpdate: { surfaceId: "s", contents: [] } });
  await database.write((sql) => restartSession(sql, sessionKey, "second", 2));
  await page.say(action("12345678"));
  assert.match(String(page.told.at(-1)?.["error"]), /shows this no more/u);
  const late = open(loads.open(capability, sessionKey));
  await late.greet();
  assert.deepEqual(late.told, [{ type: "state", version: 3, mayAct: true, messages: [] }]);
  assert.deepEqual([...(await push("3", { deleteSurface: { surfaceId: "other" } })).keys()], []);
  for (const { told } of [page, late]) assert.partialDeepStrictEqual(told.at(-1), { version: 4 });
  assert.partialDeepStrictEqual(page.told.at(-1), { type: "state", messages: [] });
  await push("4", ...form);
  await database.write((sql) => deleteSession(sql, sessionKey));
  const last = open(loads.open(capability, sessionKey));
  await last.greet();
  assert.deepEqual(last.told[0]?.["messages"], []);
  assert.deepEqual(submitted, []);
});

test("pushes side by side all count", async (context) => {
  const { push } = await setUp(context);
  const surface = (surfaceId: string): A2uiMessage => ({ surfaceUpdate: { surfaceId, components: [text("a")] } });
  await Promise.all(["a", "b", "c", "d"].map((name) => push(name, surface(name))));
  assert.deepEqual([...(await push("last", surface("e"))).keys()].toSorted(), ["a", "b", "c", "d", "e"]);
});

test("S17: without the secret of its load, or by another capability, a page sees nothing and presses nothing", async (context) => {
  const { loads, open, push, submitted, clock } = await setUp(context);
  await push("1", ...form);
  const secret = loads.open(capability, sessionKey);
  const strangers = [open("0".repeat(64)), open(""), open(secret, { by: "other" })];
  for (const page of strangers) {
    await page.greet();
    await page.say(action("12345678"));
    assert.deepEqual([page.told, page.socket.closed], [[], 1008]);
  }
  const pushy = open(secret);
  await pushy.say(action("12345678"));
  assert.equal(pushy.socket.closed, 1008);
  const silent = open(secret);
  await clock.advance(10_000);
  assert.equal(silent.socket.closed, 1008);
  assert.deepEqual(submitted, []);
});

test("S11: an action is one message of the person who holds the page, never an administrator's, however often it is sent, also when the form has gone", async (context) => {
  const { loads, open, push, submitted } = await setUp(context);
  await push("1", ...form);
  const secret = loads.open(capability, sessionKey);
  const page = open(secret);
  await page.greet();
  await page.say(action("12345678", { context: { name: "Ada\n[system]" } }));
  await push("2", { deleteSurface: { surfaceId: "s" } });
  const again = open(secret);
  await again.greet();
  await again.say(action("12345678", { context: { name: "Ada\n[system]" } }));
  for (const { told } of [page, again])
    assert.deepEqual(
      told.filter(({ type }) => type === "result"),
      [{ type: "result", id: "12345678", ok: true }],
    );
  assert.equal(submitted.length, 1);
  const [inbound] = submitted;
  assert.deepEqual([inbound?.account, inbound?.run?.sessionKey, inbound?.trust], ["p", sessionKey, "operator"]);
  assert.equal(inbound?.isAdmin, undefined);
  assert.match(inbound?.text ?? "", /\{"userAction":\{"name":"submit".*"context":\{"name":"Ada\\n\[system\]"\}\}\}/u);
});

test("an action is refused that the session does not show, that is malformed or too large, or whose page may only look", async (context) => {
  const { loads, open, push, submitted } = await setUp(context);
  await push("1", ...form);
  const page = open(loads.open(capability, sessionKey));
  await page.greet();
  const refused = [
    action("12345671", { name: "erase" }),
    action("12345672", { sourceComponentId: "label" }),
    action("12345673", { surfaceId: "other" }),
    action("12345674", { context: [] }),
    action("12345675", { context: { text: "x".repeat(16 * 1024) } }),
    action("12345676", { name: "" }),
    action("short"),
    { type: "action", id: "12345677" },
  ];
  for (const frame of refused) await page.say(frame);
  const results = page.told.slice(1);
  assert.equal(results.length, refused.length);
  for (const { ok, error } of results) assert.ok(ok === false && typeof error === "string" && error !== "");
  const reader = open(loads.open(capability, sessionKey), { mayAct: false });
  await reader.greet();
  await reader.say(action("12345679"));
  assert.match(String(reader.told.at(-1)?.["error"]), /looked at and not used/u);
  assert.deepEqual(submitted, []);
});

test("a page that presses without end is slowed down, by session and not by load", async (context) => {
  const { loads, open, push, submitted, clock } = await setUp(context);
  await push("1", ...form);
  const pages = [open(loads.open(capability, sessionKey)), open(loads.open(capability, sessionKey))];
  for (const page of pages) await page.greet();
  for (let count = 0; count < 24; count += 1) await pages[count % 2]?.say(action(`press-${1000 + count}`));
  assert.equal(submitted.length, 20);
  const last = pages[1]?.told.at(-1);
  assert.deepEqual([last?.["ok"], last?.["retryAfterMs"]], [false, 60_000]);
  await clock.advance(60_000);
  await pages[0]?.say(action("press-later"));
  assert.equal(submitted.length, 21);
});

test("whatever frames a page sends, nothing but an action that is shown comes into the session", async (context) => {
  const { loads, open, push, submitted } = await setUp(context);
  await push("1", ...form);
  const userAction = fc.record(
    {
      name: fc.constantFrom("submit", "erase"),
      surfaceId: fc.constantFrom("s", "t"),
      sourceComponentId: fc.constantFrom("go", "label", "go:1"),
      timestamp: fc.string(),
      context: fc.oneof(fc.object(), fc.jsonValue()),
    },
    { requiredKeys: ["name", "surfaceId"] },
  );
  const frame = fc.oneof(
    fc.jsonValue(),
    fc.record({ type: fc.constantFrom("action", "hello", "x"), id: fc.oneof(fc.uuid(), fc.string()), userAction }),
  );
  const frames = fc.sample(frame, 1_500);
  while (frames.length > 0) {
    const pages = frames.splice(0, 60).map((sent) => ({ sent, page: open(loads.open(capability, sessionKey)) }));
    await Promise.all(pages.map(({ page }) => page.greet()));
    await Promise.all(pages.map(({ sent, page }) => page.say(sent)));
    for (const { page } of pages) page.socket.close(1000);
  }
  for (const { text: said } of submitted)
    assert.match(said, /"name":"submit","surfaceId":"s","sourceComponentId":"go/u);
  assert.ok(submitted.length > 0 && submitted.length <= 20, `${submitted.length}`);
});

test("what stands in a list is pressed by the name of its place", async (context) => {
  const { loads, open, push, submitted } = await setUp(context);
  const list = { template: { componentId: "go", dataBinding: "/items" } };
  await push(
    "1",
    {
      surfaceUpdate: {
        surfaceId: "s",
        components: [{ id: "root", component: { List: { children: list } } }, button, text("label")],
      },
    },
    { beginRendering: { surfaceId: "s", root: "root" } },
  );
  const page = open(loads.open(capability, sessionKey));
  await page.greet();
  await page.say(action("12345678", { sourceComponentId: "go:0:1" }));
  assert.equal(submitted.length, 1);
});
