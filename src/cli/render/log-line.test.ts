import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { parseLogLine, renderTime } from "./log-line.ts";

test("a record is taken apart into what is read and the rest", () => {
  const line = '{"level":"warn","time":"2026-01-02T03:04:05.678Z","subsystem":"a/b","conn":"x","message":"m"}';
  assert.deepEqual(parseLogLine(line), {
    time: "2026-01-02T03:04:05.678Z",
    level: "warn",
    subsystem: "a/b",
    module: undefined,
    message: "m",
    fields: { conn: "x" },
  });
});

test("lines of older programs are understood", () => {
  const meta = { logLevelName: "INFO", date: "2026-01-02T03:04:05.678Z", name: '{"subsystem":"gateway/ws"}' };
  const parsed = (parts: object) => {
    const { message, subsystem, level, module } = parseLogLine(JSON.stringify({ ...parts, _meta: meta })) ?? {};
    return [level, subsystem, module, message];
  };
  assert.deepEqual(parsed({ 0: '{"subsystem":"gateway/ws"}', 1: "hello", 2: { n: 1 } }), [
    "info",
    "gateway/ws",
    undefined,
    'hello {"n":1}',
  ]);
  assert.deepEqual(parsed({ 0: '{"module":"web"}', 1: "x" }), ["info", undefined, "web", "x"]);
  assert.deepEqual(parsed({ 0: "plain words" }), ["info", "gateway/ws", undefined, "plain words"]);
});

test("whatever stands in a log, it is a record or it is not, and nothing is thrown", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"_meta":${json},"0":${json}}`),
      ),
      (line) => {
        const record = parseLogLine(line);
        if (record) assert.equal(typeof record.message, "string");
      },
    ),
  );
  for (const line of ["", "[1]", "null", '"x"', "{", "{}x"]) assert.equal(parseLogLine(line), undefined, line);
});

test("a time is shown in UTC, with this machine's offset, or as the time of day; they are the same moment", () => {
  const time = "2026-01-02T03:04:05.678Z";
  assert.equal(renderTime(time, "utc"), time);
  assert.match(renderTime(time, "local"), /^2026-01-0[123]T\d\d:\d\d:05\.678[+-]\d\d:\d\d$/u);
  assert.match(renderTime(time, "clock"), /^\d\d:\d\d:05$/u);
  assert.equal(renderTime("no time", "local"), "no time");
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), (date) => {
      // an offset with odd seconds, as some zones had long ago, cannot be written in minutes
      const shown = new Date(renderTime(date.toISOString(), "local"));
      assert.ok(Math.abs(shown.getTime() - date.getTime()) < 60_000);
    }),
  );
});
