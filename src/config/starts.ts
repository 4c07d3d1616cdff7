// Which starts of the Gateway did not end well, and with which config: whoever starts next steps down from one that fails again and
// again, whether it ended with an error or without a word (R6).

import { dirname } from "node:path";

import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { isRecord, parseJson } from "../base/json.ts";
import { adviseWriting, ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Ladder } from "./stand-in.ts";
import type { ConfigSource } from "./store.ts";

export interface Starts {
  /** As the starts before this one have it. */
  readonly ladder: Ladder;
  /** Nobody told why any of them ended: somebody may have killed them from outside, and the config may be in order. */
  readonly isSilent: boolean;
  /** From now on an end without a word counts against this config. */
  begin(id: string | undefined, source: ConfigSource): Promise<void>;
  /** It serves. Whoever ends now may have been killed: that counts less. */
  up(): Promise<void>;
  /** It has served for a while: what failed with this config before is forgotten. */
  settled(): Promise<void>;
  /** It ended with an error; `reason` absent: with one that no other config would have helped against. */
  failed(reason?: string): Promise<void>;
  /** It was stopped in order: the next start is free to try everything again. */
  stopped(): Promise<void>;
}

interface Start {
  readonly id: string;
  readonly source: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly reason: string;
  /** It had come up. */
  readonly isUp?: boolean;
  /** It told why it ended. Who says nothing may have been killed from outside. */
  readonly isTold?: boolean;
}

interface Record {
  readonly failed: readonly Start[];
  readonly starting?: Start;
  /** Contents that a Gateway has come up with, newest last. */
  readonly proven: readonly string[];
}

/** So many failures within so much time: a file that was seen to fail once may have met with something else. */
const maxFailures = { file: 3, "last-good": 2 } as const;
/** With those that came up, and ended before they had settled. */
const maxShortLives = 5;
/** How long the safe config stays in use where nobody told why the others ended, until the file is tried again. */
export const retrySilentMs = 120_000;
/** How long it serves until it counts as settled. */
export const settleMs = 5_000;
const windowMs = 10 * 60_000;
const maxKept = 20;
const maxProven = 50;
const maxReason = 300;

/** Only the owner of the state folder's lock writes it. One that cannot be read is as good as none. */
export async function openStarts({ path, clock }: { path: string; clock: Clock }): Promise<Starts> {
  let { failed, proven } = await readFailed(path, clock);
  let starting: Start | undefined;
  const write = async () => {
    const record: Record = { failed, ...(starting ? { starting } : {}), proven };
    try {
      await ensureFolder(dirname(path));
      await writeFileAtomic(path, `${JSON.stringify(record)}\n`);
    } catch (cause) {
      throw new Fault("storage", `starts cannot be written down: ${path} (${reasonOf(cause)})`, {
        cause,
        next: adviseWriting(dirname(path), cause),
      });
    }
  };
  const before = failed;
  const of = (source: string, id?: string) =>
    before.filter((start) => start.source === source && (id === undefined || start.id === id));
  // a config that worked does not stop working without a word: whatever ended it would end it with another one, too
  const isDown = ({ id, isUp, isTold }: Start) => isUp !== true && (isTold === true || !proven.includes(id));

  return {
    ladder: {
      distrust(id, source) {
        const failures = of(source, id);
        const isCertain = failures.filter(isDown).length >= maxFailures[source];
        if (!isCertain && failures.length < maxShortLives) return undefined;
        const reason = `the Gateway did not start with it ${failures.length} times in a row: ${failures.at(-1)?.reason}`;
        return { reason, isCertain };
      },
      isSafe: of("last-good").filter(isDown).length >= maxFailures["last-good"],
    },
    isSilent: before.length > 0 && before.every(({ isTold }) => isTold !== true),
    async begin(id, source) {
      // the one before may have ended in order meanwhile
      ({ failed, proven } = await readFailed(path, clock));
      const reason = "it ended without a word while it started";
      starting = { id: id ?? "", source, at: clock.now(), reason };
      await write();
    },
    async up() {
      if (!starting) return;
      const { id } = starting;
      starting = { ...starting, isUp: true, reason: "it ended without a word soon after its start" };
      if (id !== "") proven = [...proven.filter((other) => other !== id), id].slice(-maxProven);
      await write();
    },
    async settled() {
      if (!starting) return;
      failed = failed.filter(({ id, source }) => id !== starting?.id || source !== starting?.source);
      starting = undefined;
      await write();
    },
    async failed(reason) {
      if (!starting) return;
      if (reason !== undefined) failed = [...failed, { ...starting, isTold: true, reason: reason.slice(0, maxReason) }];
      starting = undefined;
      await write();
    },
    async stopped() {
      if (failed.length === 0 && !starting) return;
      failed = [];
      starting = undefined;
      await write();
    },
  };
}

/** With the one that was starting and did not come to an end. */
async function readFailed(path: string, clock: Clock): Promise<Omit<Record, "starting">> {
  const { failed, starting, proven } = parse(await readTextIfExists(path).catch(() => undefined));
  const now = clock.now();
  const isRecent = ({ at }: Start) => at <= now && now - at < windowMs;
  return { failed: [...failed, ...(starting ? [starting] : [])].filter(isRecent).slice(-maxKept), proven };
}

function parse(text: string | undefined): Record {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isRecord(value)) return { failed: [], proven: [] };
  const { failed, starting, proven } = value;
  return {
    proven: Array.isArray(proven) ? proven.filter((id) => typeof id === "string") : [],
    failed: Array.isArray(failed) ? failed.filter(isStart) : [],
    ...(isStart(starting) ? { starting } : {}),
  };
}

function isStart(value: unknown): value is Start {
  if (!isRecord(value)) return false;
  const { id, source, at, reason } = value;
  if (value["isUp"] !== undefined && typeof value["isUp"] !== "boolean") return false;
  return typeof id === "string" && typeof source === "string" && typeof at === "number" && typeof reason === "string";
}
