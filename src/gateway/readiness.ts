// Whether the Gateway can do its work from end to end now (R35): it may be asked every second, so all who ask share an answer.

import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { ServiceState } from "../base/service.ts";
import type { Database, Migration } from "../platform/database.ts";
import { redactText } from "../platform/redact.ts";
import type { Channel, ChannelAccountStatus } from "../ports/channel.ts";
import { statusOf } from "./channel-health.ts";
import { essentialServices } from "./health.ts";

export const readinessMigrations: readonly Migration[] = [
  {
    id: "readiness-1",
    sql: "CREATE TABLE readiness (id INTEGER PRIMARY KEY CHECK (id = 1), asked INTEGER NOT NULL) STRICT;",
  },
];

/** What does not work: `starting`, `stopping`, `safe-mode`, `database`, a service, or a channel's account as `telegram:default`. */
export interface Failing {
  readonly name: string;
  readonly reason: string;
}

export interface Readiness {
  /** Never throws. An answer may be a second old. */
  check(): Promise<readonly Failing[]>;
  /** Why nothing can be stored; undefined while it can. Never throws. An answer may be a second old. */
  storageTrouble(): Promise<string | undefined>;
  /** Everything was started once. */
  started(): void;
  uptimeMs(): number;
}

export interface ReadinessDependencies {
  readonly clock: Clock;
  readonly database: Pick<Database, "write">;
  readonly channels: () => readonly Channel[];
  readonly services: () => readonly { readonly name: string; readonly state: ServiceState }[];
  readonly isDraining: () => boolean;
  readonly isSafe: boolean;
  /** Takes secrets out of what others said. Absent: what looks like one. */
  readonly mask?: ((text: string) => string) | undefined;
}

/** A commit each time somebody asks would let strangers keep the disk busy. */
const freshMs = 1_000;
const writeTimeoutMs = 3_000;

export function createReadiness(dependencies: ReadinessDependencies): Readiness {
  const { clock, isSafe, mask = redactText } = dependencies;
  const startedAt = clock.monotonic();
  let isStarted = false;
  let written: { readonly at: number; readonly failing: Promise<readonly Failing[]> } | undefined;

  const storage = () => {
    if (!written || clock.monotonic() - written.at >= freshMs)
      written = { at: clock.monotonic(), failing: checkDatabase(dependencies) };
    return written.failing;
  };
  return {
    async check() {
      const stage: Failing[] = [];
      if (!isStarted) stage.push({ name: "starting", reason: "the Gateway is starting" });
      if (dependencies.isDraining()) stage.push({ name: "stopping", reason: "the Gateway is stopping" });
      if (isSafe) stage.push({ name: "safe-mode", reason: "the config cannot be used" });
      const stored = await storage();
      const failing = [...stage, ...stored, ...brokenServices(dependencies), ...lateAccounts(dependencies)];
      return failing.map(({ name, reason }) => ({ name, reason: mask(reason) }));
    },
    async storageTrouble() {
      const [failing] = await storage();
      return failing && mask(failing.reason);
    },
    started() {
      isStarted = true;
    },
    uptimeMs: () => Math.round(clock.monotonic() - startedAt),
  };
}

/** Reading says nothing about a full disk, nor does a write that is taken back: only a commit does. */
async function checkDatabase({ database, clock }: ReadinessDependencies): Promise<readonly Failing[]> {
  const deadline = createDeadline(clock, writeTimeoutMs);
  const write = database.write((sql) =>
    sql.run("INSERT INTO readiness (id, asked) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET asked = asked + 1"),
  );
  try {
    await abortable(write, deadline.signal);
    return [];
  } catch (error) {
    const reason = deadline.isExpired()
      ? `no write within ${writeTimeoutMs / 1000} s`
      : `cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    return [{ name: "database", reason }];
  } finally {
    deadline.clear();
  }
}

function brokenServices({ services }: ReadinessDependencies): readonly Failing[] {
  return services().flatMap(({ name, state }) =>
    state.state === "degraded" && essentialServices.has(name) ? [{ name, reason: state.reason }] : [],
  );
}

/** Switched on and set up, and yet its platform has not answered within the channel's own time. */
function lateAccounts({ channels, clock }: ReadinessDependencies): readonly Failing[] {
  const now = clock.now();
  return channels().flatMap((channel) =>
    statusOf(channel).flatMap((account) => {
      const reason = account.isEnabled && account.isConfigured ? lateness(account, now) : undefined;
      return reason === undefined ? [] : [{ name: `${channel.id}:${account.accountId}`, reason }];
    }),
  );
}

function lateness(account: ChannelAccountStatus, now: number): string | undefined {
  const { pollDeadlineMs, lastPollAt, problem } = account;
  const why = problem ? `: ${problem.reason}` : "";
  if (!account.isRunning) return `not running${why}`;
  if (pollDeadlineMs === undefined) return account.isConnected ? undefined : `not connected${why}`;
  if (lastPollAt === undefined) return `its platform has not answered yet${why}`;
  const age = now - lastPollAt;
  if (age <= pollDeadlineMs) return undefined;
  return `its platform answered last ${Math.round(age / 1000)} s ago, more than ${pollDeadlineMs / 1000} s${why}`;
}
