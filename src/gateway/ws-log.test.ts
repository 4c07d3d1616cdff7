import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog, type Log, type LogFields } from "../base/log.ts";
import { createWsLog, type WsLogStyle } from "./ws-log.ts";

function open(style: WsLogStyle, isOn: boolean) {
  const clock = createManualClock();
  const lines: [level: string, message: string, fields: LogFields | undefined][] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const log: Log = { ...silentLog, debug: at("debug"), info: at("info"), child: () => log };
  return { clock, lines, wsLog: createWsLog({ log, clock, options: { style, isOn: () => isOn } }) };
}

const call = { connId: "0f2a71b8-1111-4222-8333-44444444c0de", id: "7", method: "health" };
const fault = new Fault("invalid_params", "text required");

test("without debug lines, only calls that failed or took 50 ms are told", () => {
  const { wsLog, lines } = open("auto", false);
  wsLog.asked(call, {});
  wsLog.answered({ ...call, ms: 49, isWaiting: false });
  wsLog.answered({ ...call, ms: 5_000, isWaiting: true });
  wsLog.sent("tick", {}, 3);
  assert.deepEqual(lines, []);
  wsLog.answered({ ...call, ms: 50.4, isWaiting: false });
  wsLog.answered({ ...call, ms: 1, isWaiting: false, fault });
  assert.deepEqual(lines, [
    ["info", "⇄ res ✓ health 50ms", { conn: "0f2a71b8…c0de", id: "7" }],
    [
      "info",
      "⇄ res ✗ health 1ms",
      { conn: "0f2a71b8…c0de", id: "7", errorCode: "INVALID_REQUEST", errorMessage: "text required" },
    ],
  ]);
});

test("in debug lines auto tells pairs and events, compact only pairs, full every frame with its contents", () => {
  const told = (style: WsLogStyle) => {
    const { wsLog, lines } = open(style, true);
    wsLog.asked(call, { probe: true });
    wsLog.answered({ ...call, ms: 3, isWaiting: false, payload: { ok: true } });
    wsLog.sent("presence", { presence: [] }, 2);
    return lines.map(([, message, fields]) =>
      `${message} ${String(fields?.["params"] ?? fields?.["payload"] ?? "")}`.trim(),
    );
  };
  assert.deepEqual(told("auto"), ["⇄ res ✓ health 3ms", "← event presence"]);
  assert.deepEqual(told("compact"), ["⇄ res ✓ health 3ms"]);
  assert.deepEqual(told("full"), [
    '→ req health {"probe":true}',
    '← res ✓ health 3ms {"ok":true}',
    '← event presence {"presence":[]}',
  ]);
});

test("contents are masked before they are cut, and never long", () => {
  const { wsLog, lines } = open("full", true);
  wsLog.asked(call, { auth: { token: "hunter2hunter2" }, note: "x".repeat(229), key: "sk-abcdefghijklmnopqrstuvwx" });
  const shown = String(lines[0]?.[2]?.["params"]);
  assert.doesNotMatch(shown, /hunter2|sk-abc/u);
  assert.ok(shown.length <= 241, shown);
});

test("a text that streams in is a line a second, with how many events it stands for", async () => {
  const { wsLog, lines, clock } = open("auto", true);
  for (let index = 0; index < 40; index += 1) {
    wsLog.sent("agent", {}, 1);
    await clock.advance(50);
  }
  assert.deepEqual(
    lines.map(([, , fields]) => fields),
    [{ clients: 1 }, { clients: 1, more: 19 }],
  );
});

test("who provokes errors does not fill the log, and what was left out is counted", async () => {
  const { wsLog, lines, clock } = open("auto", false);
  for (let index = 0; index < 1_000; index += 1) wsLog.answered({ ...call, ms: 0, isWaiting: false, fault });
  assert.equal(lines.length, 60);
  await clock.advance(10_000);
  wsLog.answered({ ...call, ms: 0, isWaiting: false, fault });
  assert.equal(lines.at(-1)?.[2]?.["unlogged"], 940);
});
