// The answer to a good `connect`: all that a client needs to draw its first screen.

import { methodTable, eventTable } from "../protocol/generated/methods.ts";
import type { HelloOk } from "../protocol/connect.ts";
import { hasScope } from "./auth/scopes.ts";
import type { StateVersion } from "./broadcast.ts";
import type { Connection } from "./connection.ts";
import type { Granted } from "./handshake.ts";
import { toBriefHealth, type Health } from "./health.ts";
import { maxBufferedBytes, maxPayload, tickIntervalMs } from "./limits.ts";
import type { Presence } from "./presence.ts";

export interface HelloDependencies {
  readonly version: string;
  readonly host: string;
  readonly presence: Pick<Presence, "list">;
  readonly health: Pick<Health, "last">;
  readonly stateVersion: () => StateVersion;
  readonly uptimeMs: () => number;
  readonly configPath: string;
  readonly stateDir: string;
  /** Absent: there is no canvas. */
  readonly canvas?: Pick<HelloOk, "canvasHostUrl" | "pluginSurfaceUrls">;
  readonly session: () => { readonly defaultAgentId: string; readonly scope: "per-sender" | "global" };
}

const policy = { maxPayload, maxBufferedBytes, tickIntervalMs };

export function createHello(connection: Connection, granted: Granted, dependencies: HelloDependencies): HelloOk {
  const { presence, health } = dependencies;
  const { defaultAgentId, scope } = dependencies.session();
  const isAdmin = hasScope(granted.scopes, "operator.admin");
  const mayRead = hasScope(granted.scopes, "operator.read");
  const lastHealth = health.last();
  return {
    type: "hello-ok",
    protocol: granted.protocol,
    server: { version: dependencies.version, connId: connection.caller.connId, host: dependencies.host },
    features: { methods: Object.keys(methodTable), events: Object.keys(eventTable) },
    snapshot: {
      presence: mayRead ? presence.list() : [],
      health: mayRead ? (lastHealth ?? {}) : lastHealth ? toBriefHealth(lastHealth) : {},
      stateVersion: dependencies.stateVersion(),
      uptimeMs: dependencies.uptimeMs(),
      ...(isAdmin ? { configPath: dependencies.configPath, stateDir: dependencies.stateDir } : {}),
      sessionDefaults: {
        defaultAgentId,
        mainKey: "main",
        mainSessionKey: scope === "global" ? "global" : `agent:${defaultAgentId}:main`,
        scope,
      },
      // one runbook looks for the policy here, clients look beside the snapshot
      policy,
    },
    auth: {
      role: granted.role,
      scopes: [...granted.scopes],
      ...(granted.device ? { deviceToken: granted.device.token, issuedAtMs: granted.device.issuedAtMs } : {}),
    },
    policy,
    ...dependencies.canvas,
  };
}
