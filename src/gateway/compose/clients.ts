// Clients of the protocol: how they are greeted, who answers them, and what else comes and goes with a connection.

import { hostname } from "node:os";

import type { StateVersion } from "../broadcast.ts";
import type { CanvasParts } from "../canvas.ts";
import { createDispatch, type AnyHandler } from "../dispatch.ts";
import { createHello } from "../hello.ts";
import type { Health } from "../health.ts";
import type { Router } from "../http/router.ts";
import { toNodeLink } from "../node-link.ts";
import type { Presence } from "../presence.ts";
import { refuseInSafeMode } from "../safe-mode.ts";
import { createGatewayServer, type GatewayServer } from "../server.ts";
import type { Voice } from "../voice/voice.ts";
import type { WsLog } from "../ws-log.ts";
import type { Entrance } from "./entrance.ts";
import type { Ground } from "./ground.ts";

export interface ClientDependencies extends Entrance {
  readonly router: Router;
  readonly canvas: CanvasParts;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly presence: Presence;
  readonly health: Health;
  readonly voice: Voice;
  readonly wsLog: WsLog;
  readonly stateVersion: () => StateVersion;
  readonly isDraining: () => boolean;
}

export function createClients(ground: Ground, dependencies: ClientDependencies): GatewayServer {
  const { options, config, isSafe, metrics, routePolicy } = ground;
  const { clock, ids, log, paths, version } = options;
  const { door, nodes, router, canvas, handlers, presence, health, voice, wsLog } = dependencies;
  const { stateVersion, isDraining } = dependencies;
  const startedAt = clock.monotonic();

  return createGatewayServer({
    clock,
    ids,
    log: log.child("gateway/ws"),
    ...door,
    router,
    canvas: { isInvited: canvas.canvas.isInvited, takeUpgrade: canvas.takeUpgrade },
    allowedOrigins: () => config().gateway.controlUi.allowedOrigins,
    dispatch: createDispatch({
      handlers,
      log: log.child("gateway/dispatch"),
      clock,
      ids,
      isDraining,
      wsLog,
      onAnswered: metrics.requestAnswered,
      ...(isSafe ? { refuse: refuseInSafeMode } : {}),
    }),
    createHello: async (connection, granted, request) =>
      createHello(connection, granted, {
        canvas: canvas.greet(request, granted, connection.caller),
        version,
        host: hostname(),
        presence,
        health,
        stateVersion,
        uptimeMs: () => Math.round(clock.monotonic() - startedAt),
        configPath: paths.config,
        stateDir: paths.state,
        session: () => ({
          defaultAgentId: routePolicy().defaultAgentId,
          scope: config().session.scope ?? "per-sender",
        }),
      }),
    onOpen(connection, client) {
      const { connId: conn, client: program, protocol, role, auth } = client.caller;
      log.debug("client connected", { conn, client: program.id, protocol, role, auth });
      presence.connected(client);
      if (role === "node") {
        nodes.links.attach(toNodeLink(connection));
        voice.greet(connection).catch((error: unknown) => log.warn("cannot tell a node its words", { error }));
      }
    },
    onClose(connection, client) {
      const { connId } = connection.caller;
      log.debug("client gone", { conn: connId });
      presence.disconnected(client);
      canvas.canvas.capabilities.end(connId);
      nodes.links.detach(connId);
    },
  });
}
