// A crowd of clients in several processes, and what they have seen of a broadcast.

import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";

export type Order =
  | {
      readonly kind: "open";
      readonly url: string;
      readonly localAddress?: string;
      readonly params: object;
      readonly count: number;
      readonly atOnce: number;
    }
  | { readonly kind: "slow"; readonly count: number; readonly bytesPerSecond: number }
  | { readonly kind: "resume" }
  | { readonly kind: "drop" }
  | { readonly kind: "report" }
  | { readonly kind: "close" };

export interface CrowdReport {
  connected: number;
  /** Events whose `seq` was not the next one. */
  holes: number;
  /** By the marker's number: after how many ms each client had it. */
  markers: Record<string, number[]>;
  /** Of connections that the Gateway closed, by code. */
  closes: Record<string, number>;
  /** How often there was no room at first. */
  retries: number;
}

export interface Crowd {
  /** Opens so many more clients, spread over the processes; resolves when all have their hello-ok. */
  open(count: number, options: { url: string; params: object; atOnce?: number }): Promise<void>;
  /** So many clients of each process read slowly from now on. */
  slowDown(countEach: number, bytesPerSecond: number): Promise<void>;
  /** All connections break at once, without a goodbye. */
  drop(): Promise<void>;
  /** They read as they like again. */
  resume(): Promise<void>;
  reports(): Promise<CrowdReport[]>;
  /** Waits until so many clients have the marker. @throws after `timeoutMs`. */
  seen(marker: number, count: number, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export function openCrowd(processes: number): Crowd {
  const workers = Array.from({ length: processes }, () => fork(join(import.meta.dirname, "crowd-worker.ts")));
  const ask = (worker: ChildProcess, order: Order) =>
    new Promise<CrowdReport>((resolve, reject) => {
      worker.once("message", (answer: CrowdReport | { error: string }) => {
        if ("error" in answer) reject(new Error(answer.error));
        else resolve(answer);
      });
      worker.send(order);
    });
  const all = (order: (index: number) => Order) =>
    Promise.all(workers.map((worker, index) => ask(worker, order(index))));
  const reports = () => all(() => ({ kind: "report" }));
  return {
    async open(count, { url, params, atOnce = 200 }) {
      const share = (total: number, index: number) => Math.floor((total + index) / processes);
      await all((index) => ({ kind: "open", url, params, count: share(count, index), atOnce: share(atOnce, index) }));
    },
    async slowDown(countEach, bytesPerSecond) {
      await all(() => ({ kind: "slow", count: countEach, bytesPerSecond }));
    },
    async drop() {
      await all(() => ({ kind: "drop" }));
    },
    async resume() {
      await all(() => ({ kind: "resume" }));
    },
    reports,
    async seen(marker, count, timeoutMs = 10_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const seen = (await reports()).reduce((sum, { markers }) => sum + (markers[marker]?.length ?? 0), 0);
        if (seen >= count) return;
        if (performance.now() > deadline) throw new Error(`marker ${marker}: ${seen} of ${count} clients have it`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async close() {
      const ended = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
      for (const worker of workers) worker.send({ kind: "close" });
      await Promise.all(ended);
    },
  };
}

/** The time within which that part of the samples lies. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** After how many ms 99 of 100 clients had an event: the median over these, so that one bad moment of the machine does not count. */
export function typicalP99(reports: readonly CrowdReport[], markers: readonly number[]): number {
  const each = markers.map((marker) =>
    percentile(
      reports.flatMap((report) => report.markers[marker] ?? []),
      0.99,
    ),
  );
  return percentile(each, 0.5);
}
