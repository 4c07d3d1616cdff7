// The bundle: what collectors find, scrubbed, each in a file of its own, with a manifest of what is in it and what is not, and a page
// for whoever reads it first. A collector that fails or hangs is told of and holds up no other.

import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { Scrub } from "./scrub.ts";
import type { ZipEntry } from "./zip.ts";

/** Texts may hold anything: they are scrubbed here. */
export interface Collected {
  /** A file of JSON. */
  readonly value?: unknown;
  /** A file of JSON lines instead. */
  readonly lines?: readonly unknown[];
  /** What is not in it, and why. */
  readonly leftOut?: readonly string[];
}

export interface Collector {
  /** In the bundle, such as `doctor.json`. */
  readonly file: string;
  /** What it looks at, for people. */
  readonly label: string;
  run(signal: AbortSignal): Promise<Collected>;
}

export interface Manifest {
  readonly format: 1;
  readonly product: string;
  readonly version: string;
  readonly createdAt: string;
  readonly hours: number;
  readonly files: readonly {
    readonly file: string;
    readonly label: string;
    readonly bytes: number;
    readonly ms: number;
  }[];
  readonly failed: readonly { readonly file: string; readonly label: string; readonly reason: string }[];
  readonly leftOut: readonly string[];
  readonly checkBeforeSharing: readonly string[];
}

export interface BundleOptions {
  readonly product: { readonly name: string; readonly version: string };
  readonly clock: Clock;
  readonly scrub: Scrub;
  readonly collectors: readonly Collector[];
  /** For each of them. */
  readonly timeoutMs: number;
  readonly hours: number;
  /** Known before any of them ran. */
  readonly leftOut: readonly string[];
  /** The last look at each file: what is known as a secret here must not be in it. */
  readonly isClean: (text: string) => boolean;
  /** From what has been scrubbed, by file. */
  readonly summarize: (found: ReadonlyMap<string, unknown>, manifest: Manifest) => string;
}

export interface Bundle {
  readonly entries: readonly ZipEntry[];
  readonly manifest: Manifest;
  readonly summary: string;
}

/** What nobody is interested in, and what no pattern can know. */
export const checks: readonly string[] = [
  "logs: lines that name somebody in words that the program uses itself",
  "config: names of models, agents and accounts that tell more than you want to",
  "doctor and status: what they say about your machine",
];

const never: readonly string[] = [
  "messages, prompts, replies and what tools gave: never in it",
  "tokens, passwords and keys: masked wherever they stood",
  "people, chats, hosts, addresses and paths of yours: an alias that is another one in the next bundle",
  "values of the config that are texts of your own",
];

export async function makeBundle(options: BundleOptions): Promise<Bundle> {
  const { clock, scrub, product } = options;
  const ran = await Promise.all(options.collectors.map((collector) => collect(collector, options)));
  const found = new Map(ran.flatMap((one) => ("content" in one ? [[one.file, one.content] as const] : [])));
  const entries = ran.flatMap((one) => ("content" in one ? [{ path: one.file, text: one.text }] : []));
  const manifest: Manifest = {
    format: 1,
    product: product.name,
    version: product.version,
    createdAt: new Date(clock.now()).toISOString(),
    hours: options.hours,
    files: ran.flatMap((one) =>
      "content" in one ? [{ file: one.file, label: one.label, bytes: Buffer.byteLength(one.text), ms: one.ms }] : [],
    ),
    failed: ran.flatMap((one) => ("reason" in one ? [{ file: one.file, label: one.label, reason: one.reason }] : [])),
    leftOut: [...never, ...[...options.leftOut, ...ran.flatMap(({ leftOut }) => leftOut)].map(scrub.text)],
    checkBeforeSharing: checks,
  };
  const summary = options.summarize(found, manifest);
  return {
    manifest,
    summary,
    entries: [{ path: "summary.md", text: summary }, { path: "manifest.json", text: toJson(manifest) }, ...entries],
  };
}

interface Told {
  readonly file: string;
  readonly label: string;
  readonly leftOut: readonly string[];
}
type Ran = Told &
  ({ readonly content: unknown; readonly text: string; readonly ms: number } | { readonly reason: string });

async function collect(collector: Collector, options: BundleOptions): Promise<Ran> {
  const { clock, scrub, timeoutMs, isClean } = options;
  const { file, label } = collector;
  const startedAt = clock.monotonic();
  const deadline = createDeadline(clock, timeoutMs);
  try {
    const { value, lines, leftOut = [] } = await abortable(collector.run(deadline.signal), deadline.signal);
    const content = lines ? lines.map(scrub.value) : scrub.value(value);
    const text = lines
      ? lines.map((_, index) => `${JSON.stringify((content as unknown[])[index])}\n`).join("")
      : toJson(content);
    if (!isClean(text))
      return { file, label, leftOut, reason: "held back: something that is known as a secret was still in it" };
    return { file, label, leftOut, content, text, ms: Math.round(clock.monotonic() - startedAt) };
  } catch (error) {
    const reason = deadline.isExpired()
      ? `no answer within ${timeoutMs / 1000} s`
      : scrub.text(error instanceof Error ? error.message : String(error));
    return { file, label, leftOut: [], reason };
  } finally {
    deadline.clear();
  }
}

const toJson = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
