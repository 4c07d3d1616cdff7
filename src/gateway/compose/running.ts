// In which order a Gateway starts and stops.

import type { Service } from "../../base/service.ts";
import { startBroadcast, type StateVersion } from "../broadcast.ts";
import { stopInOrder, type StopOptions, type StopReason } from "../lifecycle.ts";
import type { Moving } from "../moving.ts";
import type { GatewayServer } from "../server.ts";
import type { WsLog } from "../ws-log.ts";
import type { Ground } from "./ground.ts";
import type { Messaging } from "./messaging.ts";

export interface Running {
  start(): Promise<void>;
  stop(reason: StopReason, options?: StopOptions): Promise<void>;
  /** True once it is told to stop: nothing new is taken. */
  isDraining(): boolean;
}

export interface RunningDependencies {
  readonly messaging: Messaging;
  readonly server: GatewayServer;
  readonly moving: Moving;
  readonly wsLog: WsLog;
  readonly stateVersion: () => StateVersion;
  /** In the order in which they start. */
  readonly inside: readonly Service[];
  /** They wait for the outside world: side by side, and after all others. */
  readonly outside: readonly Service[];
  /** Everything has been started. */
  readonly onStarted: () => void;
}

export function createRunning(ground: Ground, dependencies: RunningDependencies): Running {
  const { options, database, bus, egress, supervisor, topics } = ground;
  const { clock, log } = options;
  const { messaging, server, moving, wsLog, stateVersion, inside, outside, onStarted } = dependencies;
  const { conversation, channelServices } = messaging;
  let isDraining = false;
  let stopBroadcast = () => {};

  return {
    isDraining: () => isDraining,
    async start() {
      stopBroadcast = startBroadcast({
        bus,
        connections: server.connections,
        stateVersion,
        topics,
        onSent: ({ name, payload }, clients) => wsLog.sent(name, payload, clients),
      });
      moving.serve();
      await supervisor.start(inside);
      // a platform that is slow to answer holds up nobody
      await Promise.all([...outside, ...channelServices.all()].map((service) => supervisor.start([service])));
      onStarted();
    },
    async stop(reason, stopOptions) {
      const stages = {
        closeIntake() {
          isDraining = true;
          conversation.intake.close();
        },
        drain: conversation.lane.drain,
        deliver: conversation.deliver,
        announce(stopping: StopReason) {
          bus.publish("shutdown", stopping);
          server.closeAll();
        },
        async stopServices(deadline: AbortSignal) {
          await supervisor.stop(deadline);
          stopBroadcast();
          egress.close();
          await moving.close();
        },
        closeDatabase: () => database.close(),
      };
      await stopInOrder(stages, reason, { clock, log: log.child("lifecycle"), ...stopOptions });
    },
  };
}
