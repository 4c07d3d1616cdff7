// Notices a line that is dead without having been closed: a Gateway ticks, so silence for two ticks is no silence of its own.
// Any frame counts: a tick may be dropped for a client that is busy reading.

import type { Clock } from "../base/clock.ts";
import type { GatewayClient } from "./connect.ts";

const defaultTickMs = 30_000;

/** @returns a function that stops it. */
export function startWatchdog(client: Pick<GatewayClient, "hello" | "heardAt" | "close">, clock: Clock): () => void {
  // older Gateways say no policy
  const told: number | undefined = client.hello.policy?.tickIntervalMs;
  const limitMs = 2 * (told !== undefined && told > 0 ? told : defaultTickMs);
  let timer = clock.after(limitMs, look);
  function look(): void {
    const leftMs = client.heardAt() + limitMs - clock.monotonic();
    if (leftMs > 0) timer = clock.after(leftMs, look);
    else client.close(4000, "tick timeout");
  }
  return () => timer.cancel();
}
