// Files that come with a response's input: their text is put where they stood. Kinds, sizes, pages and characters are bounded.

import { asText, refuseField, type Body } from "../base/fields.ts";
import { isRecord } from "../base/json.ts";
import { ellipsize } from "../base/text.ts";
import type { PublicFetch } from "../platform/egress-public.ts";
import type { PdfLimits, PdfText } from "../platform/pdf.ts";
import { checkBase64, checkKind, sourceUrl, type SourceLimits } from "./source.ts";

export interface FileSource {
  readonly part: Body;
  readonly field: string;
  readonly index: number;
}

export interface FileLimits extends SourceLimits {
  /** Of its text; the rest is cut off, and said to be. */
  readonly maxChars: number;
  /** Pages of a PDF that are read. */
  readonly maxPages: number;
}

export interface FileMeans {
  readonly fetch: PublicFetch;
  readonly readPdf: (bytes: Uint8Array, limits: PdfLimits) => Promise<PdfText>;
  readonly signal: AbortSignal;
}

/** Files in one request. */
const maxFiles = 16;
const pdfType = "application/pdf";

/** The text of each file, as it is shown to the model. @throws Fault naming the file. */
export async function readFiles(
  sources: readonly FileSource[],
  limits: FileLimits,
  means: FileMeans,
): Promise<readonly string[]> {
  if (sources.length > maxFiles) throw refuseField("input", `holds more than ${maxFiles} files`);
  const texts: string[] = [];
  for (const source of sources) texts.push(await readFile(source, limits, means));
  return texts;
}

async function readFile({ part, field }: FileSource, limits: FileLimits, means: FileMeans): Promise<string> {
  const name = typeof part["filename"] === "string" ? part["filename"].slice(0, 200) : "file";
  const { bytes, mimeType } = await readBytes(part, field, { limits, means });
  const text = mimeType === pdfType ? await textOfPdf(bytes, field, { limits, means }) : decode(bytes, field);
  // names are chosen by strangers: they stay within quotation marks
  return `<file name=${JSON.stringify(name)} type=${JSON.stringify(mimeType)}>\n${ellipsize(text, limits.maxChars)}\n</file>`;
}

interface Reading {
  readonly limits: FileLimits;
  readonly means: FileMeans;
}

async function readBytes(part: Body, field: string, { limits, means }: Reading) {
  const url = urlOf(part, field);
  if (!url.startsWith("data:")) {
    if (!limits.allowUrl) throw refuseField(field, "must hold the file itself", "send file_data");
    const got = await means.fetch(url, { ...limits, signal: means.signal });
    return { bytes: got.body, mimeType: got.mimeType };
  }
  const comma = url.indexOf(",");
  const head = url.slice("data:".length, Math.max(0, comma)).split(";");
  const mimeType = (head[0] ?? "").toLowerCase();
  if (!head.includes("base64")) throw refuseField(field, "is not in base64");
  checkKind(mimeType, field, limits);
  const data = url.slice(comma + 1);
  checkBase64(data, field, limits);
  return { bytes: Buffer.from(data, "base64"), mimeType };
}

function urlOf(part: Body, field: string): string {
  const { file_data: data, file_url: url, source } = part;
  if (isRecord(source)) return sourceUrl(source, `${field}.source`);
  if (typeof url === "string") return url;
  const text = asText(data, `${field}.file_data`);
  if (text.startsWith("data:")) return text;
  // base64 alone: the name tells what it is
  return `data:${typeByName(part["filename"])};base64,${text}`;
}

const typesByEnding: Readonly<Record<string, string>> = {
  txt: "text/plain",
  md: "text/markdown",
  html: "text/html",
  csv: "text/csv",
  json: "application/json",
  pdf: pdfType,
};

function typeByName(name: unknown): string {
  const ending = typeof name === "string" ? (name.split(".").at(-1)?.toLowerCase() ?? "") : "";
  return Object.hasOwn(typesByEnding, ending) ? (typesByEnding[ending] ?? "") : "text/plain";
}

function decode(bytes: Buffer, field: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // what is no UTF-8 would be noise to the model
    throw refuseField(field, "is not text in UTF-8");
  }
}

async function textOfPdf(bytes: Buffer, field: string, { limits, means }: Reading): Promise<string> {
  const { maxPages, timeoutMs } = limits;
  const { pages, count } = await means.readPdf(bytes, { maxPages, timeoutMs, signal: means.signal });
  const text = pages.join("\n\n").trim();
  if (text === "") throw refuseField(field, "is a PDF without text", "send its pages as pictures");
  return `${text}${count > pages.length ? `\n[… ${count - pages.length} more pages …]` : ""}`;
}
