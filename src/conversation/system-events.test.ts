import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../base/clock.ts";
import { parseRunId, type SessionKey } from "../base/ids.ts";
import { openDatabase } from "../platform/database.ts";
import { conversationMigrations } from "./store/schema.ts";
import { maxWaiting, takeSystemEvents } from "./store/system-events.ts";
import { createSystemEvents, withSystemEvents } from "./system-events.ts";

const folder = mkdtempSync(join(tmpdir(), "system-events-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function setUp() {
  count += 1;
  const database = openDatabase(join(folder, `${count}.sqlite`), conversationMigrations);
  return { database, events: createSystemEvents({ database, clock: createManualClock() }) };
}
// made by hand: the tests are about storing, not about keys
const key = "agent:main:main" as SessionKey;
const other = "agent:main:other" as SessionKey;

test("every event is seen by one turn of its session, and by that turn again when it resumes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant("take" as const), fc.constant("resume" as const), fc.string({ minLength: 1 }))),
      async (steps) => {
        const { database, events } = setUp();
        const taken: string[][] = [];
        const noted: string[] = [];
        let runs = 0;
        for (const step of steps) {
          if (step === "take" || step === "resume") {
            if (step === "take") runs += 1;
            if (runs === 0) continue;
            const turn = { runId: parseRunId(`r${runs}`), sessionKey: key, attempt: step === "take" ? 1 : 2 };
            const rows = (await database.write((sql) => takeSystemEvents(sql, turn))).map(({ text }) => text);
            if (step === "take") taken.push(rows);
            else assert.deepEqual(rows, taken.at(-1));
            continue;
          }
          await events.note(key, step);
          await events.note(other, "not yours");
          const line = step.replaceAll(/\s+/gu, " ").trim();
          if (line !== "") noted.push(line);
        }
        const all = [...taken.flat(), ...(await events.waiting(key))];
        assert.ok(!all.includes("not yours") || noted.includes("not yours"));
        // what was noted twice in a row before anybody took it is there once
        assert.deepEqual(dedupe(all), dedupe(noted));
        await database.close();
      },
    ),
    { numRuns: 60 },
  );
});

const dedupe = (texts: string[]) => texts.filter((text, index) => text !== texts[index - 1]);

test("only so many wait; the newest stay", async () => {
  const { database, events } = setUp();
  for (let index = 0; index < maxWaiting + 5; index += 1) await events.note(key, `event ${index}`);
  const waiting = await events.waiting(key);
  assert.equal(waiting.length, maxWaiting);
  assert.equal(waiting.at(-1), `event ${maxWaiting + 4}`);
  await database.close();
});

test("events stand fenced before what was said, each on one line; without any the words stay as they are", () => {
  assert.equal(withSystemEvents("hello", []), "hello");
  const text = withSystemEvents("hello", [{ text: "the door bell rang", at: 0 }]);
  assert.match(text, /^\[Events.*\]\n- 1970-01-01T00:00:00\.000Z the door bell rang\n\[End of events\]\n\nhello$/u);
});
