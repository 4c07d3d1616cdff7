// Whatever clients do to sessions, in whatever order: each shows what was said in it since it began, and no other's.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { openConversationKit } from "../../../test/kit/conversation.ts";
import { createScriptedRunner } from "../../../test/kit/scripted-turn.ts";
import { createSessionCalls } from "../../../test/kit/session-calls.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sequence-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const chat = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("say" as const), chat }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), chat }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), chat }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("compact" as const), chat, keep: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("label" as const), chat, label: fc.constantFrom("x", "y", null) }),
  },
);

interface Expected {
  said: string[];
  label: string | undefined;
}

test("sessions show what was said since they began, kept by the last compaction; labels stay unique", async () => {
  let file = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      file += 1;
      const kit = await openConversationKit({
        databaseFile: join(folder, `${file}.sqlite`),
        runTurn: createScriptedRunner(({ text, history }) => `${history.length} ${text}`),
        defaultThinking: "low",
      });
      const call = createSessionCalls(kit);
      const keyOf = (name: string) => `agent:main:memory:dm:${name}`;
      const expected = new Map<string, Expected>();
      const entry = (name: string) => {
        const found = expected.get(name) ?? { said: [], label: undefined };
        expected.set(name, found);
        return found;
      };
      try {
        for (const [index, one] of steps.entries()) {
          const key = keyOf(one.chat);
          switch (one.do) {
            case "say": {
              const text = `text ${index}`;
              const result = await kit.channel.receive({ eventId: `e${index}`, chatId: one.chat, text });
              assert.ok(result.outcome === "accepted");
              await kit.conversation.runs.waitForEnd(result.runId, 5_000, AbortSignal.timeout(5_000));
              const { said } = entry(one.chat);
              said.push(text, `${said.length} ${text}`);
              break;
            }
            case "reset":
              await call("sessions.reset", { key });
              entry(one.chat).said = [];
              break;
            case "delete":
              assert.equal((await call("sessions.delete", { key }))["deleted"], expected.delete(one.chat));
              break;
            case "compact": {
              const { said } = expected.get(one.chat) ?? { said: [] };
              const isCut = said.length > one.keep;
              assert.equal((await call("sessions.compact", { key, maxLines: one.keep }))["compacted"], isCut);
              if (isCut) said.splice(0, said.length - one.keep);
              break;
            }
            case "label": {
              const isTaken = [...expected].some(
                ([name, { label }]) => name !== one.chat && label && label === one.label,
              );
              const patched = call("sessions.patch", { key, label: one.label });
              if (isTaken) await assert.rejects(patched, /label already in use/u);
              else {
                await patched;
                entry(one.chat).label = one.label ?? undefined;
              }
            }
          }
        }
        const { sessions } = await call("sessions.list", {});
        const rows = sessions as { key: string; label?: string }[];
        assert.deepEqual(
          rows.map(({ key, label }) => `${key} ${label}`).toSorted(),
          [...expected].map(([name, { label }]) => `${keyOf(name)} ${label}`).toSorted(),
        );
        for (const [name, { said }] of expected) {
          const { messages } = await call("sessions.get", { key: keyOf(name) });
          assert.deepEqual(
            (messages as { content: { text: string }[] }[]).map(({ content }) => content[0]?.text),
            said,
          );
        }
      } finally {
        await kit.stop();
      }
    }),
    { numRuns: 20 },
  );
});
