// One WebSocket from its first byte to its last: challenge, connect, then requests. Nothing a stranger sends may disturb anybody
// else; what is answered to malformed input is held by test/e2e/bad-input.

import type { IncomingMessage } from "node:http";

import type { RawData, WebSocket } from "ws";

import type { Clock } from "../base/clock.ts";
import { Fault, toFault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isNestedBeyond, isRecord, maxJsonDepth, parseJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { ConnectParams, HelloOk } from "../protocol/connect.ts";
import type { RequestFrame } from "../protocol/frame.ts";
import { validateConnect, validateFrame } from "../protocol/validate.ts";
import type { Caller, NodeDeclaration } from "../ports/method.ts";
import { closeSocket, createConnection, renderRefusal, type Connection } from "./connection.ts";
import type { Dispatch } from "./dispatch.ts";
import { limitEarlyBytes } from "./early-bytes.ts";
import { decideConnect, type ConnectContext, type Granted } from "./handshake.ts";
import { closeTimeoutMs, handshakeTimeoutMs, maxEarlyFrames, maxPreauthBytes } from "./limits.ts";
import { watchLiveness } from "./liveness.ts";
import type { Peer } from "./peer.ts";
import type { ConnectedClient } from "./presence.ts";

export interface SocketDependencies {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** What connects are judged by, but for what the connection itself tells. */
  readonly judge: (request: IncomingMessage, peer: Peer) => Omit<ConnectContext, "nonce" | "now">;
  readonly dispatch: Dispatch;
  readonly createHello: (connection: Connection, granted: Granted, request: IncomingMessage) => Promise<HelloOk>;
  readonly onOpen: (connection: Connection, client: ConnectedClient) => void;
  readonly onClose: (connection: Connection, client: ConnectedClient) => void;
}

interface Session {
  readonly connId: string;
  readonly nonce: string;
  readonly peer: Peer;
  readonly request: IncomingMessage;
  connection: Connection | undefined;
  /** Connect was received and is being judged; frames after it wait here. */
  early: string[] | undefined;
}

export interface Accepting {
  readonly dependencies: SocketDependencies;
  readonly peer: Peer;
  /** Gives the stranger's place back, once the client is authenticated or gone. */
  readonly leave: () => void;
  /** Bytes that came right behind the upgrade request. */
  readonly headBytes: number;
}

/** Talks with one client until it is gone. Never throws, and no `error` event of the socket escapes (R2). */
export function acceptSocket(socket: WebSocket, request: IncomingMessage, accepting: Accepting): void {
  const { dependencies, peer, leave, headBytes } = accepting;
  const { clock, ids, log } = dependencies;
  const session: Session = {
    connId: ids.uuid(),
    nonce: ids.uuid(),
    peer,
    request,
    connection: undefined,
    early: undefined,
  };

  log.debug("socket opened", { conn: session.connId, peer: peer.source });
  const deadline = clock.after(handshakeTimeoutMs, () => closeSocket(socket, 1000, ""));
  const stopCounting = limitEarlyBytes(
    request.socket,
    { isCountedFrom: request.socket.bytesRead - headBytes, maxBytes: maxPreauthBytes },
    () => {
      closeSocket(socket, 1009, "preauth payload too large");
      clock.after(closeTimeoutMs, () => socket.terminate());
    },
  );
  const stopWatching = watchLiveness(socket, clock);

  socket.on("error", (error) => log.debug("socket error", { conn: session.connId, error }));
  socket.on("close", () => {
    deadline.cancel();
    stopWatching();
    leave();
  });
  socket.on("message", (data) => {
    // after our close nothing is read any more, though it still arrives
    if (socket.readyState !== socket.OPEN) return;
    const text = toText(data);
    if (session.connection) dependencies.dispatch(session.connection, text);
    else if (session.early) keepEarly(socket, session.early, text);
    else void connect(text);
  });

  const connect = async (text: string) => {
    const early: string[] = [];
    session.early = early;
    try {
      const opened = await judge(socket, text, { session, dependencies });
      // it may have gone, or run out of time, while it was judged
      if (!opened || socket.readyState !== socket.OPEN) return;
      stopCounting();
      deadline.cancel();
      leave();
      session.connection = opened.connection;
      session.early = undefined;
      socket.once("close", () => dependencies.onClose(opened.connection, opened.client));
      dependencies.onOpen(opened.connection, opened.client);
      for (const frame of early) dependencies.dispatch(opened.connection, frame);
    } catch (error) {
      log.error("handshake broke", { conn: session.connId, error: toFault(error) });
      closeSocket(socket, 1011, "internal error");
    }
  };

  // newer clients look for what the Gateway can do, though none of it matters to them yet
  const payload = { nonce: session.nonce, ts: clock.now(), capabilities: [] };
  const challenge = { type: "event", event: "connect.challenge", payload };
  socket.send(JSON.stringify(challenge));
}

interface Judging {
  readonly session: Session;
  readonly dependencies: SocketDependencies;
}

/** Answers the first frame. @returns undefined when the socket was closed instead. */
async function judge(
  socket: WebSocket,
  text: string,
  judging: Judging,
): Promise<{ connection: Connection; client: ConnectedClient } | undefined> {
  const frame = readConnect(socket, text);
  if (!frame) return undefined;
  const { session, dependencies } = judging;
  // validateConnect has accepted them
  const params = frame.params as ConnectParams;
  const refuse = (fault: Fault, closeCode: number) => {
    socket.send(renderRefusal(frame.id, fault, Math.min(7, params.maxProtocol)));
    closeSocket(socket, closeCode, fault.message);
    return undefined;
  };
  const decision = await decideConnect(params, {
    ...dependencies.judge(session.request, session.peer),
    nonce: session.nonce,
    now: dependencies.clock.now(),
  });
  if ("refusal" in decision) {
    const { fault, closeCode } = decision.refusal;
    // a source that is made to wait was logged for what it did before
    const level = fault.details?.["code"] === "AUTH_RATE_LIMITED" ? "debug" : "warn";
    dependencies.log[level]("connection refused", {
      conn: session.connId,
      peer: session.peer.source,
      client: params.client.id,
      reason: fault.message,
    });
    return refuse(fault, closeCode);
  }
  const { isLocal, address } = session.peer;
  const caller = toCaller(params, decision.granted, session);
  const connection = createConnection(socket, caller, dependencies.clock.now());
  connection.respond(frame.id, await dependencies.createHello(connection, decision.granted, session.request));
  const { platform, deviceFamily, modelIdentifier } = params.client;
  return {
    connection,
    client: { caller, platform, deviceFamily, modelIdentifier, ip: isLocal || address === "" ? undefined : address },
  };
}

/** The first frame, if it is a well-formed `connect`; otherwise the socket is told why and closed. */
function readConnect(socket: WebSocket, text: string): RequestFrame | undefined {
  const value = parseJson(text);
  if (value === undefined && !isNestedBeyond(text, maxJsonDepth)) {
    closeSocket(socket, 1000, "");
    return undefined;
  }
  if (validateFrame(value)) {
    closeSocket(socket, 1008, "invalid request frame");
    return undefined;
  }
  // validateFrame has accepted it
  const frame = value as RequestFrame;
  const refuse = (message: string, field?: string) => {
    socket.send(
      renderRefusal(frame.id, new Fault("invalid_params", message, field ? { field } : {}), protocolOf(frame)),
    );
    closeSocket(socket, 1008, message);
    return undefined;
  };
  if (frame.method !== "connect") return refuse("invalid handshake: first request must be connect");
  const issue = validateConnect(frame.params ?? {});
  return issue ? refuse(`invalid connect params: ${issue.text}`, issue.field) : frame;
}

/** The dialect for an error before anything is agreed. */
function protocolOf(frame: RequestFrame): number {
  const max = isRecord(frame.params) ? frame.params["maxProtocol"] : undefined;
  return typeof max === "number" ? max : 3;
}

function toCaller(params: ConnectParams, granted: Granted, { connId, peer }: Pick<Session, "connId" | "peer">): Caller {
  const { id, mode, version, displayName, instanceId } = params.client;
  const { device, role } = granted;
  return {
    connId,
    isLocal: peer.isLocal,
    // all operators are the one owner: a request that is repeated over another connection stays the same request
    principal: role === "node" && device ? `node:${device.id}` : "owner",
    role,
    scopes: granted.scopes,
    protocol: granted.protocol,
    auth: granted.method,
    client: { id, mode, version, ...(displayName ? { displayName } : {}), ...(instanceId ? { instanceId } : {}) },
    ...(device ? { deviceId: device.id } : {}),
    ...(role === "node" ? { node: toNode(params, peer) } : {}),
  };
}

function toNode({ client, caps, commands, permissions, pathEnv }: ConnectParams, peer: Peer): NodeDeclaration {
  const { platform, version, deviceFamily, modelIdentifier, displayName } = client;
  return {
    caps: caps ?? [],
    commands: commands ?? [],
    permissions: permissions ?? {},
    platform,
    version,
    ...(pathEnv ? { pathEnv } : {}),
    ...(deviceFamily ? { deviceFamily } : {}),
    ...(modelIdentifier ? { modelIdentifier } : {}),
    ...(displayName ? { displayName } : {}),
    ...(peer.isLocal || peer.address === "" ? {} : { remoteIp: peer.address }),
  };
}

function keepEarly(socket: WebSocket, early: string[], text: string): void {
  if (early.length >= maxEarlyFrames) closeSocket(socket, 1008, "too many pending handshake frames");
  else early.push(text);
}

function toText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return data instanceof ArrayBuffer ? Buffer.from(data).toString("utf8") : data.toString("utf8");
}
