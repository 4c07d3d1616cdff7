import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { WebSocketServer } from "ws";

import { until } from "../../test/kit/conversation.ts";
import { certificate, fingerprint, key } from "../../test/kit/certificate.ts";
import { openNodeSocket, pinNodeSocket } from "./node-socket.ts";
import type { ClientSocket } from "./socket.ts";

const server = createServer({ cert: certificate, key });
const sockets = new WebSocketServer({ server });
const heard: string[] = [];
let url: string;
before(async () => {
  sockets.on("connection", (socket) => socket.on("message", (data) => heard.push(data.toString())));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  for (const socket of sockets.clients) socket.terminate();
  server.close();
});

/** Opens, says its secret as soon as it may, and tells how that went. */
const knock = (socket: ClientSocket) =>
  new Promise<string>((resolve) => {
    socket.onOpen(() => {
      socket.send("secret");
      socket.close();
      resolve("open");
    });
    socket.onError((error) => resolve(error.message));
  });

test("a pinned certificate is enough, in every way in which fingerprints are written", async () => {
  const plain = fingerprint.replaceAll(":", "").toLowerCase();
  for (const text of [fingerprint, plain, `sha256:${plain}`, `SHA256=${fingerprint}`])
    assert.equal(await knock(pinNodeSocket(text)(url)), "open");
  await until(() => heard.length === 4);
});

test("to another certificate nothing is said, and without a pin one that nobody knows is refused", async () => {
  heard.length = 0;
  const other = `00${fingerprint.slice(2)}`;
  assert.match(await knock(pinNodeSocket(other)(url)), /^the certificate is another one: its fingerprint is 1be9/u);
  assert.match(await knock(openNodeSocket(url)), /self.signed/iu);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(heard, []);
});

test("what is no fingerprint, and an address without TLS, are refused", () => {
  for (const text of ["", "12:34", `${fingerprint}00`, "x".repeat(64)])
    assert.throws(() => pinNodeSocket(text), /not a SHA-256 fingerprint/u);
  assert.throws(() => pinNodeSocket(fingerprint)("ws://127.0.0.1:1"), /for TLS/u);
});
