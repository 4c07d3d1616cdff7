import assert from "node:assert/strict";
import { test } from "node:test";

import { makePdf } from "../../test/kit/pdf.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { readPdf } from "./pdf.ts";

const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test("the text of the first pages, and how many there are", async () => {
  const text = await readPdf(makePdf(["One", "Two", "Three"]), { maxPages: 2, timeoutMs: 20_000 }, systemClock);
  assert.deepEqual(text, { pages: ["One", "Two"], count: 3 });
});

test("what is no PDF is told so, and neither half a document nor a wrong length ends the process", async () => {
  const whole = makePdf(["One"]);
  for (const bytes of [Buffer.from("not a pdf"), Buffer.alloc(0), whole.subarray(0, 30)])
    await assert.rejects(readPdf(bytes, { maxPages: 1, timeoutMs: 20_000 }, systemClock), isFault("invalid_params"));
});

test("a document that takes too long, or whose sender goes away, is given up", async () => {
  const pdf = makePdf(["One"]);
  await assert.rejects(readPdf(pdf, { maxPages: 1, timeoutMs: 1 }, systemClock), isFault("timeout"));
  const controller = new AbortController();
  const reading = readPdf(pdf, { maxPages: 1, timeoutMs: 20_000, signal: controller.signal }, systemClock);
  controller.abort();
  await assert.rejects(reading, isFault("aborted"));
});
