// Who wears a Gateway out over HTTP, in a process of its own: the one that measures must not feel what this one does. Takes orders from
// strangers.ts.

import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import type { StrangersOrder, StrangersReport } from "./strangers.ts";

const sockets = new Set<Socket>();
const report: StrangersReport = { open: 0, opened: 0, sentMb: 0, statuses: {} };
let isOver = false;

function open(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  report.opened += 1;
  // being thrown out is what is expected
  socket.on("error", () => undefined);
  socket.on("close", () => sockets.delete(socket));
  socket.on("data", (data: Buffer) => {
    const [, status] = /^HTTP\/1\.1 (\d{3})/u.exec(data.subarray(0, 16).toString("latin1")) ?? [];
    if (status !== undefined) report.statuses[status] = (report.statuses[status] ?? 0) + 1;
  });
  return socket;
}

/** Keeps so many sockets open, each with that beginning and a byte now and then. */
async function hold({ port, count, heads, isStubborn, everyMs }: Extract<StrangersOrder, { kind: "hold" }>) {
  let next = 0;
  const fill = () => {
    for (; sockets.size < count; next += 1) open(port).write(heads[next % heads.length] ?? "");
  };
  fill();
  for (;;) {
    await pause(everyMs);
    if (isOver) return;
    for (const socket of sockets) if (socket.writable) socket.write("x");
    if (isStubborn) fill();
  }
}

/** Sends pieces without end, on a new connection whenever one was closed. */
async function pour({ port, heads, piece, mb, mbPerSecond }: Extract<StrangersOrder, { kind: "pour" }>): Promise<void> {
  const startedAt = performance.now();
  const bytes = Buffer.from(piece, "latin1");
  const write = (socket: Socket) => new Promise<boolean>((resolve) => socket.write(bytes, (error) => resolve(!error)));
  const stream = async (head: string) => {
    while (!isOver && report.sentMb < mb) {
      const socket = open(port);
      socket.write(head);
      while (report.sentMb < mb && (await write(socket))) {
        report.sentMb += bytes.length / 1e6;
        const earlyMs = (report.sentMb / mbPerSecond) * 1_000 - (performance.now() - startedAt);
        if (earlyMs > 1) await pause(earlyMs);
      }
      socket.destroy();
    }
  };
  await Promise.all(heads.map(stream));
}

process.on("message", (order: StrangersOrder) => {
  const answer = () => process.send?.({ ...report, open: sockets.size });
  if (order.kind === "report") answer();
  else if (order.kind === "end") {
    isOver = true;
    for (const socket of sockets) socket.destroy();
    process.disconnect();
  } else {
    const attack = order.kind === "hold" ? hold(order) : pour(order);
    attack.catch((error: unknown) => {
      throw error;
    });
    answer();
  }
});
