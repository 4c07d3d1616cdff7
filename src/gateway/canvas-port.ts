// The canvas on its own port, and its WebSockets on both. A port that somebody else has is told in health and tried again; it never
// stops the Gateway.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { WebSocketServer } from "ws";

import type { Canvas } from "../canvas/canvas.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { openListener, type Listener } from "../platform/listen.ts";
import { isGatewaysOwnPage, isNameAllowed, renderOriginHelp } from "./auth/origin.ts";
import { refuseGarbage, refuseUpgrade } from "./http/refusal.ts";
import { createRouter, type RouterDependencies } from "./http/router.ts";
import { createPipeline } from "./http/pipeline.ts";
import { judgeShape } from "./http/shape.ts";
import { createStrangers } from "./http/strangers.ts";
import { closeTimeoutMs } from "./limits.ts";
import { peerOf } from "./peer.ts";

export interface CanvasPortDependencies extends Omit<RouterDependencies, "routes"> {
  readonly canvas: Canvas;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: the canvas is switched off. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  readonly trustedProxies: () => readonly string[];
  /** What health says of the canvas has changed. */
  readonly onStateChange: () => void;
}

export interface CanvasPort {
  readonly service: Service;
  /** On the Gateway's port. False: the path is not the canvas's. */
  takeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const retryMs = 30_000;
/** What a page of A2UI says at once; other pages say nothing. */
const maxPayload = 64 * 1024;

export const canvasService = "canvas";

export function createCanvasPort(dependencies: CanvasPortDependencies): CanvasPort {
  const { canvas, clock, log } = dependencies;
  const options = { noServer: true, perMessageDeflate: false, maxPayload, closeTimeout: closeTimeoutMs };
  const sockets = new WebSocketServer(options);
  let listener: Listener | undefined;
  let trouble: Fault | undefined;
  let retry: Timer | undefined;

  const accept = ({ request, socket, head }: Upgrade, isOver: boolean) =>
    sockets.handleUpgrade(request, socket, head, (page) => {
      // also of one that is sent away at once: it may speak garbage until it has gone
      page.on("error", (error) => log.debug("socket error", { error }));
      if (isOver) page.close(1008, "this page is over");
      else canvas.addSocket(pathOf(request), page);
    });
  const refuse = (socket: Duplex) => refuseUpgrade(socket, { status: "403 Forbidden", text: "not for this page" });

  const localRouter = createRouter({
    ...dependencies,
    routes: () => canvas.routes({ isOwnPort: true, access: "open" }),
  });
  const router = createRouter({
    ...dependencies,
    routes: () => canvas.routes({ isOwnPort: true, access: { scope: "operator.read" } }),
  });
  const isLocal = (request: IncomingMessage) => peerOf(request, dependencies.trustedProxies()).isLocal;
  const strangers = createStrangers(clock);
  const pipeline = createPipeline(strangers.slowDown);
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (!pipeline.enter(request, response)) return;
    strangers.spoke(request);
    const misshaped = judgeShape(request);
    const { origin, host = "" } = request.headers;
    if (misshaped) router.refuse(request, response, { status: misshaped.status, error: misshaped.message });
    else if (!canvas.isInvited(pathOf(request)) && isForeign(request))
      router.refuse(request, response, { status: 403, error: renderOriginHelp(origin ?? `http://${host}`) });
    else {
      const peer = peerOf(request, dependencies.trustedProxies());
      const arrival = { peer, admit: () => strangers.admit(request) };
      (peer.isLocal ? localRouter : router).answer(request, response, arrival);
    }
  };
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", (error) => log.debug("socket error", { error }));
    strangers.admit(request);
    const judged = judgeShape(request) ? "refused" : canvas.judgeSocket(pathOf(request), request.headers.origin);
    const mayPlainly = judged === "plain" && isLocal(request) && !isForeign(request);
    if (judged === "invited" || judged === "over" || mayPlainly) accept({ request, socket, head }, judged === "over");
    else refuse(socket);
  };
  const attach = (server: Server) => {
    strangers.attach(server);
    server.on("request", answer);
    server.on("checkContinue", answer);
    server.on("upgrade", upgrade);
    // a server's sockets are of the net, whatever the type says
    server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      refuseGarbage(socket as Socket, error.code, clock),
    );
  };

  /** A taken port is waited for: it may be for good, and is worth one line of the log. */
  const listen = async () => {
    const address = dependencies.address();
    if (!address) return;
    const before = trouble;
    try {
      const opened = await openListener({ ...address, log, clock });
      trouble = undefined;
      listener = opened;
      opened.serve(attach);
      log.info(`canvas on port ${opened.port}`);
      if (before) dependencies.onStateChange();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      trouble = error;
      if (before) log.debug("still no port for the canvas", { error });
      else {
        log.warn(`the canvas has no port of its own: ${error.message}`);
        dependencies.onStateChange();
      }
      retry = clock.after(retryMs, () => void listen().catch((bug: unknown) => log.error("canvas", { error: bug })));
    }
  };

  return {
    service: {
      name: canvasService,
      async start() {
        if (!dependencies.address()) return;
        await canvas.prepare();
        await listen();
      },
      health: () =>
        trouble
          ? { state: "degraded", reason: trouble.message, next: "free that port, or set canvasHost.port to another" }
          : { state: "running" },
      async stop() {
        retry?.cancel();
        trouble = undefined;
        canvas.close();
        await listener?.close();
        listener = undefined;
      },
    },
    takeUpgrade(request, socket, head) {
      const judged = canvas.judgeSocket(pathOf(request), request.headers.origin);
      if (judged === "unknown") return false;
      if (judged === "invited" || judged === "over") accept({ request, socket, head }, judged === "over");
      else refuse(socket);
      return true;
    },
  };
}

const pathOf = ({ url = "/" }: IncomingMessage) => url.split("?", 1)[0] ?? "/";

/**
 * A page of another origin asks, or one under a name that a stranger's DNS points here. What a browser loads into a page (a script, a
 * picture, a frame) carries no Origin, but says whose page it is; being led here by a link is no harm.
 */
function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (!isGatewaysOwnPage(origin, host) || !isNameAllowed(host, headers["user-agent"], [])) return true;
  const site = headers["sec-fetch-site"];
  const isLed = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return (site === "cross-site" || site === "same-site") && !isLed;
}
