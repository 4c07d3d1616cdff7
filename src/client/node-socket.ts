// Node's WebSocket for the client.

import type { IncomingMessage } from "node:http";

import { WebSocket } from "ws";

import { Fault } from "../base/fault.ts";
import type { ClientSocket, OpenSocket } from "./socket.ts";

const maxPayload = 64 * 1024 * 1024;
// a peer that does not answer the close must not hold the process; not in the package's types yet (8.18.2), hence no literal
const options = { perMessageDeflate: false, maxPayload, closeTimeout: 1_000 };

export function openNodeSocket(url: string): ClientSocket {
  return toClientSocket(new WebSocket(url, options));
}

/**
 * Over TLS to the one certificate with this SHA-256 fingerprint, whoever signed it, and to no other: nothing is said to another.
 * @throws Fault `usage` for what is no fingerprint; the sockets, for an address without TLS.
 */
export function pinNodeSocket(fingerprint: string): OpenSocket {
  const expected = normalise(fingerprint);
  if (!/^[\da-f]{64}$/u.test(expected))
    throw new Fault("usage", "not a SHA-256 fingerprint: it has 64 hex digits", { field: "--tls-fingerprint" });
  return (url) => {
    if (!url.startsWith("wss:"))
      throw new Fault("usage", "a fingerprint is for TLS: the address has to begin with wss://", { field: "--url" });
    const socket = new WebSocket(url, { ...options, rejectUnauthorized: false });
    let problem: Error | undefined;
    // before it opens, and so before the first frame
    socket.on("upgrade", ({ socket: stream }: IncomingMessage) => {
      const found = fingerprintOf(stream);
      if (found === expected) return;
      problem = new Error(`the certificate is another one: its fingerprint is ${found ?? "not known"}`);
      socket.terminate();
    });
    return toClientSocket(socket, () => problem);
  };
}

const normalise = (fingerprint: string) =>
  fingerprint
    .trim()
    .toLowerCase()
    .replace(/^sha-?256[:=]/u, "")
    .replaceAll(":", "");

function fingerprintOf(stream: object): string | undefined {
  if (!("getPeerCertificate" in stream) || typeof stream.getPeerCertificate !== "function") return undefined;
  // a TLS socket's method; without a certificate it answers an empty object
  const certificate = stream.getPeerCertificate() as { fingerprint256?: string } | null;
  return certificate?.fingerprint256 === undefined ? undefined : normalise(certificate.fingerprint256);
}

function toClientSocket(socket: WebSocket, problem: () => Error | undefined = () => undefined): ClientSocket {
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    onOpen: (listener) => socket.on("open", listener),
    // text frames arrive as one buffer
    onMessage: (listener) => socket.on("message", (data) => listener(data.toString())),
    onClose: (listener) => socket.on("close", (code, reason) => listener(code, reason.toString())),
    onError: (listener) => socket.on("error", (error) => listener(problem() ?? error)),
  };
}
