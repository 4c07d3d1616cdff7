// Orders to a process that wears a Gateway out over HTTP, and what it has seen.

import { fork } from "node:child_process";
import { join } from "node:path";

export type StrangersOrder =
  | {
      readonly kind: "hold";
      readonly port: number;
      readonly count: number;
      /** What each socket sends at first, in turn. */
      readonly heads: readonly string[];
      /** Whoever was thrown out comes again. */
      readonly isStubborn: boolean;
      /** Between two bytes of one socket. */
      readonly everyMs: number;
    }
  | {
      readonly kind: "pour";
      readonly port: number;
      /** One stream for each. */
      readonly heads: readonly string[];
      /** Sent again and again behind the head, latin1. */
      readonly piece: string;
      /** All streams together; afterwards they end. */
      readonly mb: number;
      readonly mbPerSecond: number;
    }
  | { readonly kind: "report" }
  | { readonly kind: "end" };

export interface StrangersReport {
  open: number;
  opened: number;
  sentMb: number;
  /** How often each was answered. */
  readonly statuses: Record<string, number>;
}

export interface Strangers {
  order(order: StrangersOrder): Promise<StrangersReport>;
  end(): Promise<void>;
}

export function openStrangers(): Strangers {
  const worker = fork(join(import.meta.dirname, "strangers-worker.ts"));
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const broken = ended.then(() => Promise.reject(new Error("the strangers ended by themselves")));
  broken.catch(() => undefined);
  return {
    order(order) {
      const answered = new Promise<StrangersReport>((resolve) => worker.once("message", resolve));
      worker.send(order);
      return Promise.race([answered, broken]);
    },
    async end() {
      if (worker.connected) worker.send({ kind: "end" } satisfies StrangersOrder);
      await ended;
    },
  };
}
