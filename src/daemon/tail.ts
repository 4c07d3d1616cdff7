// The end of a text file.

import { open } from "node:fs/promises";

import { isCode } from "../base/error-code.ts";

const maxBytes = 64_000;

/** Its last lines that say something; none when there is no such file. */
export async function tailText(path: string): Promise<string[]> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    return (start > 0 ? lines.slice(1) : lines).filter((line) => line.trim() !== "");
  } finally {
    await file.close();
  }
}
