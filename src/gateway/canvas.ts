// Puts the canvas on both ports, and tells clients where it is.

import type { IncomingMessage } from "node:http";
import { join } from "node:path";

import { canvasNames } from "../base/brand.ts";
import type { Ids } from "../base/ids.ts";
import { createCanvas, type Canvas } from "../canvas/canvas.ts";
import type { Holder } from "../canvas/capabilities.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { Database } from "../platform/database.ts";
import { expandHome, resolveFrom } from "../platform/paths.ts";
import { planPorts } from "../platform/port-plan.ts";
import type { Submit } from "../ports/message.ts";
import type { Caller } from "../ports/method.ts";
import type { Config } from "../settings/config.ts";
import { createCanvasPort, type CanvasPort, type CanvasPortDependencies } from "./canvas-port.ts";
import type { Granted } from "./handshake.ts";
import type { Moving } from "./moving.ts";
import type { GatewayOptions } from "./options.ts";
import type { HelloOk } from "../protocol/connect.ts";
import { hasScope } from "./auth/scopes.ts";

export interface CanvasPartsDependencies extends Pick<
  CanvasPortDependencies,
  "judge" | "trustedProxies" | "clock" | "onStateChange"
> {
  readonly options: Pick<GatewayOptions, "paths" | "env" | "log">;
  readonly ids: Ids;
  readonly database: Database;
  readonly submit: Submit;
  readonly routePolicy: () => RoutePolicy;
  readonly config: () => Config;
  readonly moving: Pick<Moving, "port" | "host">;
  readonly isSafe: boolean;
}

export interface CanvasParts extends CanvasPort {
  readonly canvas: Canvas;
  readonly root: () => string;
  readonly isEnabled: () => boolean;
  /** What `hello-ok` says of the canvas to this connection. */
  greet(
    request: IncomingMessage,
    granted: Granted,
    caller: Caller,
  ): Pick<HelloOk, "canvasHostUrl" | "pluginSurfaceUrls">;
}

export function createCanvasParts(dependencies: CanvasPartsDependencies): CanvasParts {
  const { options, config, moving, isSafe } = dependencies;
  const log = options.log.child("canvas");
  const port = () =>
    isSafe ? undefined : planPorts({ base: moving.port(), env: options.env, config: config() }).canvas;
  const root = () => {
    const { home, state } = options.paths;
    const named = config().canvasHost?.root;
    const workspace = expandHome(config().agents.defaults.workspace ?? options.paths.workspace, home);
    if (named === undefined) return join(workspace, "canvas");
    // wherever it was started
    return resolveFrom(state, named, home);
  };
  const canvas = createCanvas({
    ...dependencies,
    log,
    root,
    isEnabled: () => port() !== undefined,
    isLive: () => config().canvasHost?.liveReload !== false,
  });
  const address = () => {
    const chosen = port();
    return chosen === undefined ? undefined : { host: moving.host(), port: chosen };
  };
  return {
    canvas,
    root,
    isEnabled: () => port() !== undefined,
    ...createCanvasPort({ ...dependencies, canvas, log, address }),
    greet(request, granted, caller) {
      const mayRead = granted.role === "node" || hasScope(granted.scopes, "operator.read");
      const base = mayRead && port() !== undefined ? baseOf(request) : undefined;
      if (base === undefined) return {};
      const url = `${base}/${canvasNames[0]}/cap/${canvas.capabilities.of(caller.connId, toHolder(caller))}`;
      return granted.protocol === 4 ? { pluginSurfaceUrls: { canvas: url } } : { canvasHostUrl: url };
    },
  };
}

/** Nodes show what they are sent by commands; they do not look into sessions. */
function toHolder(caller: Caller): Holder | undefined {
  if (caller.role !== "operator") return undefined;
  return { caller, mayAct: hasScope(caller.scopes, "operator.write") };
}

/** The Gateway as this client reaches it: through a tunnel or a proxy nothing but its one port may lead here. */
function baseOf({ headers, socket }: IncomingMessage): string | undefined {
  const { host = `127.0.0.1:${socket.localPort}` } = headers;
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`).origin : undefined;
}
