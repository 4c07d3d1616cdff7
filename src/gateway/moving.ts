// The listener alone closes and opens anew: the new one first, then those who came by the old one are told and let go. Turns and
// channels do not notice (R7).

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Listener } from "../platform/listen.ts";
import type { Broadcast } from "./connection.ts";
import type { GatewayServer } from "./server.ts";

/** A listener that is open beside the one that it takes the place of; that one takes no new connections. */
export interface Moved {
  readonly opened: Listener;
  readonly left: Listener;
}

/**
 * Listens where the config says now. @returns undefined when it does so already.
 * @throws Fault when it cannot; the listener before then goes on.
 */
export type MoveListener = () => Promise<Moved | undefined>;

export interface Moving {
  /** Where it listens now. */
  port(): number;
  host(): string;
  /** Begins to answer what came to the first listener. */
  serve(): void;
  /** @returns false when there was nothing to do. @throws Fault when the new address cannot be had; the old one goes on. */
  move(): Promise<boolean>;
  close(): Promise<void>;
}

export interface MovingDependencies {
  readonly first: Listener;
  readonly moveListener: MoveListener;
  readonly server: Pick<GatewayServer, "attach" | "dismiss">;
  readonly clock: Clock;
  readonly log: Log;
}

/** For whoever asked for it to get their answer before their connection ends. */
const dismissAfterMs = 250;
/** Answers over HTTP that are under way have this long. */
const leaveAfterMs = 10_000;
const restartExpectedMs = 100;

const event: Broadcast = {
  name: "shutdown",
  payloadJson: JSON.stringify({ reason: "listener restarting", restartExpectedMs }),
  stateVersionJson: undefined,
  isDroppable: false,
};

export function createMoving({ first, moveListener, server, clock, log }: MovingDependencies): Moving {
  const leaving = new Set<Listener>();
  let current = first;
  let isClosed = false;

  const leave = (left: Listener) => {
    leaving.add(left);
    clock.after(dismissAfterMs, () => server.dismiss(left.servers, event));
    clock.after(leaveAfterMs, () => {
      if (!leaving.delete(left)) return;
      left.close().catch((error: unknown) => log.error("the listener before did not close", { error }));
    });
  };

  return {
    port: () => current.port,
    host() {
      const address = current.servers[0]?.address();
      return typeof address === "object" && address !== null ? address.address : "127.0.0.1";
    },
    serve: () => current.serve(server.attach),
    async move() {
      const moved = await moveListener();
      if (!moved) return false;
      current = moved.opened;
      leave(moved.left);
      // stopped meanwhile: nobody else would close it
      if (isClosed) await current.close();
      else current.serve(server.attach);
      return true;
    },
    async close() {
      isClosed = true;
      const all = [...leaving, current];
      leaving.clear();
      await Promise.all(all.map((one) => one.close()));
    },
  };
}
