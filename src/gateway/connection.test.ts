import assert from "node:assert/strict";
import { test } from "node:test";

import { Fault } from "../base/fault.ts";
import type { Caller } from "../ports/method.ts";
import { validate_response } from "../protocol/generated/answers.js";
import { createConnection, renderRefusal, type ClientSocket } from "./connection.ts";
import { droppingFromBytes, maxBufferedBytes } from "./limits.ts";

const caller: Caller = {
  connId: "c1",
  principal: "owner",
  role: "operator",
  scopes: ["operator.admin"],
  client: { id: "test", mode: "test", version: "1" },
  protocol: 4,
  isLocal: true,
  auth: "token",
};

/** A socket whose buffer is as full as the test says. */
function fakeSocket() {
  const sent: string[] = [];
  const closes: { code: number | undefined; reason: string }[] = [];
  const listeners: (() => void)[] = [];
  const writings: (() => void)[] = [];
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    send(text: string, written?: () => void) {
      sent.push(text);
      if (written) writings.push(written);
    },
    close(code?: number, reason?: string | Buffer) {
      closes.push({ code, reason: String(reason) });
      socket.readyState = 2;
    },
    once: (_event: "close", listener: () => void) => void listeners.push(listener),
  };
  // the overloads of send that a test has no use for are missing
  return {
    socket: socket as typeof socket & ClientSocket,
    sent,
    closes,
    end: () => listeners.forEach((run) => run()),
    /** All that was sent has gone out, or so much is left. */
    drain(left = 0) {
      socket.bufferedAmount = left;
      for (const written of writings.splice(0)) written();
    },
  };
}

const tick = { name: "tick", payloadJson: '{"ts":1}', stateVersionJson: undefined, isDroppable: true };
const final = { name: "chat", payloadJson: '{"state":"final"}', stateVersionJson: undefined, isDroppable: false };

test("broadcasts are numbered from 1 without holes, on each connection for itself", () => {
  const one = fakeSocket();
  const connection = createConnection(one.socket, caller, 0);
  connection.broadcast(tick);
  connection.broadcast({ ...final, name: "presence", stateVersionJson: '{"presence":2,"health":1}' });
  assert.deepEqual(one.sent, [
    '{"type":"event","event":"tick","payload":{"ts":1},"seq":1}',
    '{"type":"event","event":"presence","payload":{"state":"final"},"seq":2,"stateVersion":{"presence":2,"health":1}}',
  ]);
  const other = fakeSocket();
  createConnection(other.socket, caller, 0).broadcast(tick);
  assert.match(other.sent[0] ?? "", /"seq":1\}$/u);
});

test("a slow client loses what can be made up for and its numbering shows no hole", () => {
  const { socket, sent, closes } = fakeSocket();
  const connection = createConnection(socket, caller, 0);
  connection.broadcast(tick);
  socket.bufferedAmount = droppingFromBytes + 1;
  connection.broadcast(tick);
  connection.broadcast(final);
  socket.bufferedAmount = 0;
  connection.broadcast(tick);
  assert.deepEqual(
    sent.map((text) => (JSON.parse(text) as { event: string; seq: number }).event),
    ["tick", "chat", "tick"],
  );
  assert.deepEqual(
    sent.map((text) => (JSON.parse(text) as { event: string; seq: number }).seq),
    [1, 2, 3],
  );
  assert.deepEqual(closes, []);
});

test("a slow client gets the last state that it missed, once, as soon as it has read on", () => {
  const { socket, sent, drain } = fakeSocket();
  const connection = createConnection(socket, caller, 0);
  const presence = (version: number) => ({
    ...tick,
    name: "presence",
    payloadJson: `{"presence":[${version}]}`,
    stateVersionJson: `{"presence":${version},"health":1}`,
  });
  connection.respond("1", "x".repeat(droppingFromBytes));
  socket.bufferedAmount = droppingFromBytes + 1;
  for (const version of [2, 3, 4]) connection.broadcast(presence(version));
  connection.broadcast(tick);
  connection.broadcast(final);
  drain(droppingFromBytes + 1);
  assert.equal(sent.length, 2, "not while it is as slow");
  connection.broadcast(final);
  drain();
  drain();
  assert.deepEqual(sent.slice(1), [
    '{"type":"event","event":"chat","payload":{"state":"final"},"seq":1}',
    '{"type":"event","event":"chat","payload":{"state":"final"},"seq":2}',
    '{"type":"event","event":"presence","payload":{"presence":[4]},"seq":3,"stateVersion":{"presence":4,"health":1}}',
  ]);

  socket.bufferedAmount = droppingFromBytes + 1;
  connection.broadcast(final);
  connection.broadcast(presence(5));
  socket.bufferedAmount = 0;
  connection.broadcast(presence(6));
  drain();
  assert.match(sent.at(-1) ?? "", /"presence":\[6\]/u, "what is newer is not followed by what is older");
});

test("a client that does not read at all is closed, by events and by answers", () => {
  for (const send of [
    (connection: ReturnType<typeof createConnection>) => connection.broadcast(final),
    (connection: ReturnType<typeof createConnection>) => connection.respond("1", {}),
    (connection: ReturnType<typeof createConnection>) => connection.refuse("1", new Fault("timeout", "late")),
  ]) {
    const { socket, sent, closes } = fakeSocket();
    const connection = createConnection(socket, caller, 0);
    socket.bufferedAmount = maxBufferedBytes + 1;
    connection.broadcast(tick);
    assert.deepEqual(closes, []);
    send(connection);
    send(connection);
    assert.deepEqual(closes, [{ code: 1008, reason: "slow consumer" }]);
    assert.deepEqual(sent, []);
  }
});

test("the signal aborts with the connection, and nothing is sent afterwards", () => {
  const { socket, sent, end } = fakeSocket();
  const connection = createConnection(socket, caller, 0);
  assert.equal(connection.signal.aborted, false);
  socket.readyState = 3;
  end();
  assert.equal(connection.signal.aborted, true);
  connection.respond("1", {});
  connection.broadcast(final);
  assert.deepEqual(sent, []);
});

test("a close reason fits the frame and no character is cut", () => {
  const { socket, closes } = fakeSocket();
  createConnection(socket, caller, 0).close(1008, "é".repeat(100));
  assert.equal(closes[0]?.reason, "é".repeat(60));
});

test("errors have the keys that strict clients allow, whatever the fault carries (RB-87)", () => {
  const faults = [
    new Fault("overloaded", "busy", { retryAfterMs: 12.5, field: "x", next: "wait", details: { code: "X" } }),
    new Fault("internal", ""),
    new Fault("agent_failed", "no model", { payload: { runId: "r", status: "error" } }),
  ];
  for (const fault of faults)
    for (const protocol of [3, 4, 7]) {
      const frame: unknown = JSON.parse(renderRefusal("id", fault, protocol));
      assert.ok(validate_response(frame), JSON.stringify([frame, validate_response.errors]));
    }
});

test("clients of protocol 3 do not know FORBIDDEN", () => {
  const fault = new Fault("forbidden", "missing scope: operator.write", { details: { code: "MISSING_SCOPE" } });
  const code = (protocol: number) =>
    (JSON.parse(renderRefusal("1", fault, protocol)) as { error: { code: string; message: string } }).error;
  assert.equal(code(3).code, "INVALID_REQUEST");
  assert.equal(code(4).code, "FORBIDDEN");
  assert.equal(code(3).message, code(4).message);
});

test("a notice to one client takes no number, and says whether it could go out", () => {
  const { socket, sent } = fakeSocket();
  const connection = createConnection(socket, caller, 1);
  assert.equal(connection.notify("tick", { ts: 1 }), true);
  connection.broadcast(tick);
  assert.deepEqual(
    sent.map((text) => (JSON.parse(text) as { seq?: number }).seq),
    [undefined, 1],
  );
  socket.readyState = 2;
  assert.equal(connection.notify("tick", { ts: 2 }), false);
});
