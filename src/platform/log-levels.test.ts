import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decideThresholds, reaches, type Threshold } from "./log-levels.ts";

const usual = { level: "info", consoleLevel: "info" } as const;
const levels: readonly Threshold[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

test("a part has a level of its own, found by its whole or its short name", () => {
  for (const name of [
    "channels/telegram",
    "telegram",
    "telegram.*",
    "channels/*",
    "channels",
    "Channels.Telegram",
    "*",
  ]) {
    const { file } = decideThresholds("channels/telegram", { ...usual, levels: { [name]: "debug" } });
    assert.equal(file, "debug", name);
  }
  for (const name of ["tele", "gateway", "channels/whatsapp", "telegram/poll", "", " "]) {
    const { file } = decideThresholds("channels/telegram", { ...usual, levels: { [name]: "debug" } });
    assert.equal(file, "info", name);
  }
});

test("the name that says most counts", () => {
  const options = { ...usual, levels: { "*": "error", gateway: "warn", "gateway/ws": "debug" } } as const;
  assert.equal(decideThresholds("gateway/ws", options).file, "debug");
  assert.equal(decideThresholds("gateway/listen", options).file, "warn");
  assert.equal(decideThresholds("agent", options).file, "error");
});

test("a quieter part is quieter on the console too; a louder one is so in the file alone", () => {
  assert.deepEqual(decideThresholds("agent", { ...usual, levels: { agent: "error" } }), {
    file: "error",
    console: "error",
  });
  assert.deepEqual(decideThresholds("agent", { ...usual, levels: { agent: "debug" } }), {
    file: "debug",
    console: "info",
  });
});

test("a diagnostics flag writes and shows debug lines of its part", () => {
  const options = { ...usual, flags: ["telegram.*"] };
  assert.deepEqual(decideThresholds("channels/telegram", options), { file: "debug", console: "debug" });
  assert.deepEqual(decideThresholds("agent", options), { file: "info", console: "info" });
});

test("verbose shows everything, and writes what was written before", () => {
  const level = fc.constantFrom(...levels);
  fc.assert(
    fc.property(level, level, fc.dictionary(fc.constantFrom("agent", "*", "gateway"), level), (file, shown, parts) => {
      const options = { level: file, consoleLevel: shown, levels: parts };
      const quiet = decideThresholds("agent", options);
      const verbose = decideThresholds("agent", { ...options, isVerbose: true });
      assert.equal(verbose.console, "trace");
      assert.equal(verbose.file, quiet.file);
      // nothing that the config silences is shown otherwise
      if (reaches("fatal", quiet.console)) assert.ok(reaches("fatal", shown));
    }),
  );
});
