// The text of a PDF, within bounds of time and memory.

import { Worker } from "node:worker_threads";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";

export interface PdfText {
  /** Of the first pages. */
  readonly pages: readonly string[];
  /** Pages of the whole document. */
  readonly count: number;
}

export interface PdfLimits {
  readonly maxPages: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const maxMemoryMb = 256;

declare const BUILD_VERSION: string | undefined;

/** Beside the bundle's entries, or beside this source. */
const workerUrl = () =>
  typeof BUILD_VERSION === "string"
    ? new URL("../pdf-worker.js", import.meta.url)
    : new URL("pdf-worker.ts", import.meta.url);

/** @throws Fault `invalid_params` for what is no PDF or too much of one, `timeout`, or `aborted`. */
export async function readPdf(
  bytes: Uint8Array,
  { maxPages, timeoutMs, signal }: PdfLimits,
  clock: Clock,
): Promise<PdfText> {
  const worker = new Worker(workerUrl(), {
    workerData: { bytes: new Uint8Array(bytes), maxPages },
    resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb },
    env: {},
    stdout: true,
    stderr: true,
  });
  try {
    return await new Promise<PdfText>((resolve, reject) => {
      const timer = clock.after(timeoutMs, () =>
        reject(new Fault("timeout", `the PDF was not read within ${timeoutMs} ms`, { next: "send fewer pages" })),
      );
      const unreadable = (cause?: unknown) => reject(new Fault("invalid_params", "the PDF cannot be read", { cause }));
      worker.once("message", resolve);
      worker.once("error", unreadable);
      worker.once("exit", () => {
        timer.cancel();
        unreadable();
      });
      signal?.addEventListener("abort", () => reject(new Fault("aborted", "the client went away")), { once: true });
    });
  } finally {
    await worker.terminate();
  }
}
