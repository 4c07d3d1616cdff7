// The WebSocket edge alone, in this process: a real port, real sockets, stub handlers. Says what it logged and who is connected.

import { systemClock, type Clock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog, type Log } from "../../src/base/log.ts";
import { startBroadcast } from "../../src/gateway/broadcast.ts";
import { createLimiter } from "../../src/gateway/auth/limiter.ts";
import { createDoor } from "../../src/gateway/door.ts";
import { createDeviceHandlers } from "../../src/gateway/devices/methods.ts";
import { createDispatch, type AnyHandler } from "../../src/gateway/dispatch.ts";
import { createHello } from "../../src/gateway/hello.ts";
import { createLiveRoutes } from "../../src/gateway/http/live-routes.ts";
import { createRouter, type RouterDependencies } from "../../src/gateway/http/router.ts";
import { createPresence, type Presence } from "../../src/gateway/presence.ts";
import { createGatewayServer, type GatewayServer } from "../../src/gateway/server.ts";
import { createBus, type Bus } from "../../src/platform/bus.ts";
import { createTopics } from "../../src/platform/topics.ts";
import type { Route } from "../../src/ports/route.ts";
import type { Topics } from "../../src/ports/topics.ts";
import { openListener } from "../../src/platform/listen.ts";
import { openDevicesKit } from "./devices.ts";

export const secret = "correct horse battery staple";

export interface ServerKit {
  readonly port: number;
  readonly url: string;
  readonly server: GatewayServer;
  readonly bus: Bus;
  readonly topics: Topics;
  readonly presence: Presence;
  /** Every line, as `level message fields`. */
  readonly lines: string[];
  stop(): Promise<void>;
}

export interface ServerKitOptions {
  readonly handlers?: Readonly<Record<string, AnyHandler>>;
  readonly clock?: Clock;
  readonly mode?: "token" | "password";
  readonly allowedOrigins?: readonly string[];
  readonly isDraining?: () => boolean;
  /** Any free one when left out. */
  readonly port?: number;
  readonly tailscaleLogin?: () => Promise<string | undefined>;
  /** Beside the pages that say that it lives. */
  readonly routes?: readonly Route[];
  readonly onAnswered?: NonNullable<RouterDependencies["onAnswered"]>;
}

export async function openServerKit(options: ServerKitOptions = {}): Promise<ServerKit> {
  const { handlers = {}, clock = systemClock, mode = "token", allowedOrigins = [] } = options;
  const lines: string[] = [];
  const log = createMemoryLog(lines);
  const bus = createBus(log);
  const topics = createTopics();
  const presence = createPresence({
    clock,
    self: { host: "box", version: "1.2.3", platform: "linux", deviceFamily: "Linux", modelIdentifier: "x64" },
    onChange: () => bus.publish("presence", { presence: presence.list() }),
  });
  const devicesKit = openDevicesKit({
    clock,
    publish: bus.publish,
    onEnded: (ended, exceptConnId) => server.end(ended, exceptConnId),
  });
  const door = createDoor({
    limiter: createLimiter(clock),
    secret: () => ({ mode, value: secret }),
    gateway: () => ({ controlUi: { enabled: true, allowedOrigins: [...allowedOrigins] }, trustedProxies: [] }),
    devices: devicesKit.devices,
    command: (words) => `openclaw ${words}`,
    tailscaleLogin: options.tailscaleLogin ?? (async () => undefined),
  });
  const stateVersion = () => ({ presence: presence.version(), health: 1 });
  const server = createGatewayServer({
    clock,
    ids: systemIds,
    log,
    ...door,
    router: createRouter({
      clock,
      ids: systemIds,
      log,
      judge: door.judge,
      routes: () => [...createLiveRoutes(), ...(options.routes ?? [])],
      ...(options.isDraining ? { isDraining: options.isDraining } : {}),
      ...(options.onAnswered ? { onAnswered: options.onAnswered } : {}),
    }),
    allowedOrigins: () => allowedOrigins,
    dispatch: createDispatch({
      handlers: {
        ...handlers,
        // the compiler knows their types, the router only their names
        ...(createDeviceHandlers(devicesKit.devices) as unknown as Readonly<Record<string, AnyHandler>>),
      },
      log,
      clock,
      ids: systemIds,
      ...(options.isDraining ? { isDraining: options.isDraining } : {}),
    }),
    createHello: async (connection, granted) =>
      createHello(connection, granted, {
        version: "1.2.3",
        host: "box",
        presence,
        health: { last: () => undefined },
        stateVersion,
        uptimeMs: () => 5,
        configPath: "/etc/config.json",
        stateDir: "/var/state",
        session: () => ({ defaultAgentId: "main", scope: "per-sender" }),
      }),
    onOpen: (_connection, client) => presence.connected(client),
    onClose: (_connection, client) => presence.disconnected(client),
  });
  const stopBroadcast = startBroadcast({ bus, connections: server.connections, stateVersion, topics });
  const listener = await openListener({ host: "127.0.0.1", port: options.port ?? 0, log });
  listener.serve(server.attach);
  return {
    port: listener.port,
    url: `ws://127.0.0.1:${listener.port}`,
    server,
    bus,
    topics,
    presence,
    lines,
    async stop() {
      stopBroadcast();
      server.closeAll();
      await listener.close();
      await devicesKit.close();
    },
  };
}

function createMemoryLog(lines: string[]): Log {
  const write = (level: string) => (message: string, fields?: object) => {
    // tests of memory must not fill it
    if (lines.length < 10_000) lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const log: Log = { ...silentLog, info: write("info"), warn: write("warn"), error: write("error"), child: () => log };
  return log;
}
