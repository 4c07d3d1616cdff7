import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { openListener } from "./listen.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

test("a busy port is a Fault of its own, and free at once when its owner has closed it", async () => {
  const first = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  await assert.rejects(
    openListener({ host: "127.0.0.1", port: first.port, log: silentLog }),
    (error) => error instanceof Fault && error.code === "port_busy" && error.message.includes(`port ${first.port}`),
  );
  await first.close();
  await (await openListener({ host: "127.0.0.1", port: first.port, log: silentLog })).close();
});

test("an address that is not this machine's is a Fault that names it", async () => {
  await assert.rejects(
    openListener({ host: "192.0.2.1", port: 0, log: silentLog }),
    (error) => error instanceof Fault && error.code === "unreachable" && error.message.includes("192.0.2.1"),
  );
});

test("loopback is both of its addresses; a stranger on the second is told", async (t) => {
  if (!hasIpv6) return t.skip("no IPv6 here");
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  listener.serve((server) => void server.on("request", (_request, response) => response.end("here")));
  assert.equal(await (await fetch(`http://[::1]:${listener.port}/`)).text(), "here");
  await listener.close();

  const stranger = createServer().listen(0, "::1");
  await once(stranger, "listening");
  const address = stranger.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const warnings: string[] = [];
  const beside = await openListener({
    host: "127.0.0.1",
    port,
    log: { ...silentLog, warn: (message) => warnings.push(message) },
  });
  assert.equal(beside.servers.length, 1);
  assert.equal(warnings.length, 1);
  await beside.close();
  stranger.close();
});

test("connections that cannot be accepted end neither the server nor the process", async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const listener = await openListener({ host: "127.0.0.1", port: 0, log });
  for (const server of listener.servers) {
    server.emit("error", new Error("accept EMFILE"));
    server.emit("error", new Error("accept EMFILE"));
  }
  assert.equal(warnings.length, listener.servers.length * 2);
  await listener.close();
});

test("closing ends idle and half-sent requests at once, and upgraded sockets after their grace", async () => {
  const clock = createManualClock();
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog, clock });
  const upgraded = Promise.withResolvers<void>();
  listener.serve((server) => void server.on("upgrade", () => upgraded.resolve()));
  const open = async (text: string) => {
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => undefined).resume();
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
  const half = await open("GET / HTTP/1.1\r\nHost: x\r\n");
  const socket = await open("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await upgraded.promise;
  const ended = once(socket, "close");
  let isClosed = false;
  const close = async () => {
    await listener.close();
    isClosed = true;
  };
  const closing = close();
  await once(half, "close");
  await clock.advance(1_000);
  assert.deepEqual([isClosed, socket.destroyed], [false, false]);
  await clock.advance(1_500);
  await Promise.all([closing, ended]);
});

test("every server limits headers, requests and connections", async () => {
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  // the limits themselves take ten seconds and more
  for (const server of listener.servers) {
    assert.ok(server.headersTimeout <= 10_000 && server.requestTimeout <= 30_000 && server.maxConnections > 0);
  }
  await listener.close();
});

test("who comes between listening and serving is answered once it serves, request and upgrade alike", async () => {
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  const early = fetch(`http://127.0.0.1:${listener.port}/`, { method: "POST", body: "early" });
  const socket = connect(listener.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const gone = connect(listener.port, "127.0.0.1");
  await once(gone, "connect");
  gone.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  gone.destroy();
  listener.serve((server) => {
    server.on("request", (request, response) => request.pipe(response));
    server.on("upgrade", (_request, upgraded) => upgraded.end("HTTP/1.1 418 x\r\n\r\n"));
  });
  assert.equal(await (await early).text(), "early");
  assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1\.1 418/u);
  await listener.close();
});
