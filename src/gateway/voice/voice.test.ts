import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../../base/clock.ts";
import type { Call } from "../../ports/method.ts";
import { cleanTriggers, createVoice } from "./voice.ts";

const folder = mkdtempSync(join(tmpdir(), "voice-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const defaults = ["openclaw", "claude", "computer"];

function open(path: string) {
  const events: unknown[] = [];
  const { handlers, greet } = createVoice({
    path,
    clock: createManualClock(),
    publish: (event, payload) => void events.push([event, payload]),
    defaultTriggers: defaults,
  });
  return { handlers, greet, events };
}
// handlers look at params only
const call = <Name extends "voicewake.get" | "voicewake.set" | "talk.mode">(params: Call<Name>["params"]) =>
  ({ params }) as Call<Name>;

test("words are kept over a restart, told to all, and private on the disk", async () => {
  const path = join(folder, "settings", "voicewake.json");
  const { handlers, events } = open(path);
  assert.deepEqual(await handlers["voicewake.get"](call<"voicewake.get">({})), { triggers: defaults });
  const set = await handlers["voicewake.set"](call<"voicewake.set">({ triggers: [" hey house ", "", "hey house"] }));
  assert.deepEqual(set, { triggers: ["hey house"] });
  assert.deepEqual(events, [["voicewake.changed", set]]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await open(path).handlers["voicewake.get"](call<"voicewake.get">({})), set);
});

test("a file that somebody broke means the first words again", async () => {
  const path = join(folder, "broken.json");
  for (const text of ["", "{", "[]", '{"triggers":7}', '{"triggers":[7,null]}']) {
    writeFileSync(path, text);
    assert.deepEqual(await open(path).handlers["voicewake.get"](call<"voicewake.get">({})), { triggers: defaults });
  }
});

test("whatever is set, devices get 1 to 32 different words of at most 64 characters", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 100 }), { maxLength: 60 }), (texts) => {
      const words = cleanTriggers(texts, defaults);
      assert.ok(words.length >= 1 && words.length <= 32);
      assert.equal(new Set(words).size, words.length);
      assert.ok(words.every((word) => word.length <= 64 && word.trim() === word && word !== ""));
    }),
  );
});

test("talking is switched for all", async () => {
  const { handlers, events } = open(join(folder, "talk.json"));
  const mode = await handlers["talk.mode"](call<"talk.mode">({ enabled: true }));
  assert.deepEqual([mode.enabled, mode.phase], [true, null]);
  assert.deepEqual(events, [["talk.mode", mode]]);
});

test("a node is told when it comes", async () => {
  const told: unknown[] = [];
  await open(join(folder, "none.json")).greet({ notify: (event, payload) => told.push([event, payload]) > 0 });
  assert.deepEqual(told, [["voicewake.changed", { triggers: defaults }]]);
});
