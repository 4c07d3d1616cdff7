// "Typing" at a chat while a turn runs there: at once, then again before the platform lets it fade, at most two minutes.

import type { Clock, Timer } from "../base/clock.ts";
import type { Channel } from "../ports/channel.ts";
import type { DeliveryTarget } from "../ports/message.ts";

/** Telegram shows the action for 5 s. */
const refreshMs = 4_500;
const maxMs = 120_000;

/** @returns a function that shows typing at a target until what it returns is called. */
export function createTyping(dependencies: {
  clock: Clock;
  channel: (id: string) => Channel | undefined;
}): (target: DeliveryTarget) => () => void {
  const { clock } = dependencies;
  return (target) => {
    const until = clock.monotonic() + maxMs;
    let timer: Timer | undefined;
    const beat = () => {
      void dependencies.channel(target.channel)?.typing?.(target);
      if (clock.monotonic() + refreshMs < until) timer = clock.after(refreshMs, beat);
    };
    beat();
    return () => timer?.cancel();
  };
}
