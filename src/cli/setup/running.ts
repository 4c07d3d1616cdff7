// A Gateway to talk to: the one that runs, a service that is just starting, or one in this very process.

import { sleep } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { withClient } from "../connection.ts";
import type { Context } from "../context.ts";

export interface RunningGateway {
  /** It runs in this process, and ends with it. */
  readonly isOurs: boolean;
  /** Ends ours in order; another one goes on. */
  stop(): Promise<void>;
  /** Shows what ours says until a signal ends it. @returns its exit code. */
  stay(): Promise<number>;
}

export interface ReachOptions {
  /** Nobody is there: one is started here. */
  readonly mayStart: boolean;
  readonly timeoutMs: number;
}

const pauseMs = 100;

/** @throws Fault when none can be reached in time, or ours does not start. */
export async function reachGateway(context: Context, { mayStart, timeoutMs }: ReachOptions): Promise<RunningGateway> {
  if (mayStart && !(await canReach(context))) return startHere(context, timeoutMs);
  await waitFor(context, timeoutMs);
  return { isOurs: false, stop: async () => undefined, stay: async () => 0 };
}

/** @throws the last Fault when the time is up. */
async function waitFor(context: Context, timeoutMs: number): Promise<void> {
  const until = context.clock.monotonic() + timeoutMs;
  for (;;) {
    try {
      await greet(context);
      return;
    } catch (error) {
      if (!isNotYet(error) || context.clock.monotonic() >= until) throw error;
    }
    await sleep(context.clock, pauseMs);
  }
}

const greet = (context: Context) =>
  withClient(context, { scopes: ["operator.read"], timeoutMs: 2_000 }, async () => undefined);

async function canReach(context: Context): Promise<boolean> {
  try {
    await greet(context);
    return true;
  } catch (error) {
    if (isNotYet(error)) return false;
    throw error;
  }
}

/** No secret yet is as good as no Gateway. */
const isNotYet = (error: unknown) =>
  error instanceof Fault && ["unreachable", "timeout", "shutting_down"].includes(error.code);

async function startHere(context: Context, timeoutMs: number): Promise<RunningGateway> {
  const { run } = await import("../gateway/run.ts");
  let isShown = false;
  const { out } = context;
  const quiet = {
    ...out,
    line: (text?: string) => (isShown ? out.line(text) : undefined),
    error: (text: string) => (isShown ? out.error(text) : undefined),
  };
  const life = run({ ...context, out: quiet }, { options: {}, args: [] });
  // whoever waits for it below is told; until then a failure is no stray one
  life.catch(() => undefined);
  const ended = life.then(() => {
    throw new Fault("unreachable", "the Gateway ended before it could be asked");
  });
  await Promise.race([waitFor(context, timeoutMs), ended]);
  return {
    isOurs: true,
    async stop() {
      // heard by the Gateway's own handlers, as a signal from outside would be
      process.emit("SIGTERM");
      await life;
    },
    stay() {
      isShown = true;
      return life;
    },
  };
}
