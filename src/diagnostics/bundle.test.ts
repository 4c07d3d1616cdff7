import assert from "node:assert/strict";
import { test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { makeBundle, type Collector } from "./bundle.ts";
import { createScrub } from "./scrub.ts";
import { renderSummary } from "./summary.ts";
import { readWords } from "./words.ts";

async function make(collectors: readonly Collector[], isClean = (_text: string) => true) {
  const words = await readWords();
  return makeBundle({
    product: { name: "openclaw", version: "1.2.3" },
    clock: systemClock,
    scrub: createScrub({ words, secrets: [], names: [], messages: [], places: [] }),
    collectors,
    timeoutMs: 200,
    hours: 24,
    leftOut: ["something"],
    isClean,
    summarize: renderSummary,
  });
}

const good: Collector = { file: "good.json", label: "what works", run: async () => ({ value: { ok: true } }) };

test("one that throws, one that hangs and one that holds a secret are told of, and the others are there (R45)", async () => {
  const { manifest, entries, summary } = await make(
    [
      good,
      {
        file: "thrown.json",
        label: "what breaks",
        async run() {
          throw new Error("cannot read /home/petronella/x: EACCES");
        },
      },
      { file: "hung.json", label: "what hangs", run: () => new Promise(() => undefined) },
      { file: "leak.json", label: "what leaks", run: async () => ({ value: { state: "main" } }) },
      {
        file: "lines.jsonl",
        label: "lines",
        run: async () => ({ lines: [{ ok: 1 }, { ok: 2 }], leftOut: ["older lines"] }),
      },
    ],
    (text) => !text.includes("main"),
  );
  assert.deepEqual(
    entries.map(({ path }) => path),
    ["summary.md", "manifest.json", "good.json", "lines.jsonl"],
  );
  assert.equal(entries.find(({ path }) => path === "lines.jsonl")?.text, '{"ok":1}\n{"ok":2}\n');
  assert.deepEqual(
    manifest.failed.map(({ file }) => file),
    ["thrown.json", "hung.json", "leak.json"],
  );
  const [thrown, hung, leak] = manifest.failed.map(({ reason }) => reason);
  assert.match(thrown ?? "", /^cannot read <\/home\/part:\w+\/.*: EACCES$/u);
  assert.match(hung ?? "", /no answer within/u);
  assert.match(leak ?? "", /held back/u);
  assert.ok(manifest.leftOut.includes("older lines"));
  assert.ok(manifest.leftOut.includes("something"));
  assert.match(summary, /what hangs: no answer within/u);
  assert.doesNotMatch(JSON.stringify(entries), /petronella/u);
});

test("the page is there when nothing at all could be had (R45)", async () => {
  const { summary, manifest } = await make([]);
  assert.equal(manifest.files.length, 0);
  assert.match(summary, /its timeline could not be read/u);
  assert.match(summary, /Check before you share it/u);
});
