// Small services of the Gateway itself, for its supervisor.

import type { Clock, Timer } from "../base/clock.ts";
import type { Service } from "../base/service.ts";
import type { Channel } from "../ports/channel.ts";
import { tickIntervalMs } from "./limits.ts";
import { channelService } from "./reloading.ts";

export function toService(channel: Channel, submit: Parameters<Channel["start"]>[0]): Service {
  return {
    name: channelService(channel.id),
    start: () => channel.start(submit),
    stop: (deadline) => channel.stop(deadline),
  };
}

export function createTicker(clock: Clock, tick: () => void): Service {
  let timer: Timer | undefined;
  const beat = () => {
    tick();
    timer = clock.after(tickIntervalMs, beat);
  };
  return {
    name: "tick",
    async start() {
      timer = clock.after(tickIntervalMs, beat);
    },
    async stop() {
      timer?.cancel();
    },
  };
}
