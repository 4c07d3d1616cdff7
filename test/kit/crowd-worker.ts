// Many clients in a process of their own, so that they neither share the Gateway's processor nor one process's file descriptors. Takes
// orders from its parent (crowd.ts). Frames are not parsed: what counts is read from their ends.

import { WebSocket } from "ws";

import type { CrowdReport, Order } from "./crowd.ts";

const clients = new Set<WebSocket>();
const report: CrowdReport = { connected: 0, holes: 0, markers: {}, closes: {}, retries: 0 };
let isClosing = false;

/** Of a marker in an event: its number and when it was made, ns of the machine's steady clock. */
const markerPattern = /load marker (\d+) (\d+)/u;
/** The newest row of the list comes first, beside the Gateway's own. */
const headBytes = 4_096;

function watch(socket: WebSocket): void {
  let seq = 0;
  socket.on("message", (data: Buffer) => {
    const arrivedAt = process.hrtime.bigint();
    const tail = data.subarray(-80).toString("latin1");
    const own = /"seq":(\d+)[^"]*(?:"stateVersion":\{[^}]*\})?\}$/u.exec(tail)?.[1];
    if (own !== undefined) {
      if (Number(own) !== seq + 1) report.holes += 1;
      seq = Number(own);
    }
    const [, number = "", madeAt = "0"] = markerPattern.exec(data.subarray(0, headBytes).toString("latin1")) ?? [];
    if (number !== "") (report.markers[number] ??= []).push(Number(arrivedAt - BigInt(madeAt)) / 1e6);
  });
  socket.on("close", (code) => {
    clients.delete(socket);
    if (!isClosing) report.closes[code] = (report.closes[code] ?? 0) + 1;
  });
}

/** @returns false when the Gateway had no room right now. */
function openOne(order: Extract<Order, { kind: "open" }>): Promise<boolean> {
  const socket = new WebSocket(order.url, { perMessageDeflate: false, localAddress: order.localAddress });
  return new Promise((resolve, reject) => {
    socket.once("unexpected-response", (_request, response) => {
      socket.terminate();
      if (response.statusCode === 503) resolve(false);
      else reject(new Error(`HTTP ${response.statusCode}`));
    });
    socket.on("error", (error) => {
      // what comes after the 503 is known already
      if (socket.readyState === WebSocket.CONNECTING) reject(error);
    });
    socket.once("open", () => {
      socket.send(JSON.stringify({ type: "req", id: "connect", method: "connect", params: order.params }));
    });
    const look = (data: Buffer) => {
      const text = data.toString("utf8");
      if (!text.startsWith('{"type":"res"')) return;
      socket.off("message", look);
      if (text.includes('"ok":true')) resolve(true);
      else reject(new Error(text.slice(0, 300)));
      clients.add(socket);
      report.connected += 1;
    };
    socket.on("message", look);
    watch(socket);
  });
}

async function open(order: Extract<Order, { kind: "open" }>): Promise<void> {
  let left = order.count;
  const opening = async () => {
    while (left > 0) {
      left -= 1;
      while (!(await openOne(order))) {
        report.retries += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, opening));
}

const slow = new Map<WebSocket, NodeJS.Timeout>();

/** From now on the first `count` clients read so many bytes a second. */
function slowDown({ count, bytesPerSecond }: Extract<Order, { kind: "slow" }>): void {
  for (const socket of [...clients].slice(0, count)) {
    socket.pause();
    // the connection below a WebSocket is not part of its interface
    const { _socket: connection } = socket as unknown as { _socket: { read(bytes: number): unknown } };
    slow.set(socket, setInterval(() => connection.read(bytesPerSecond), 1_000).unref());
  }
}

function resume(): void {
  for (const [socket, timer] of slow) {
    clearInterval(timer);
    socket.resume();
  }
}

async function drop(): Promise<void> {
  const closed = [...clients].map((socket) => {
    socket.removeAllListeners("close");
    const isClosed = new Promise((resolve) => socket.once("close", resolve));
    socket.terminate();
    return isClosed;
  });
  await Promise.all(closed);
  clients.clear();
}

async function obey(order: Order): Promise<void> {
  if (order.kind === "open") await open(order);
  else if (order.kind === "slow") slowDown(order);
  else if (order.kind === "resume") resume();
  else if (order.kind === "drop") await drop();
}

process.on("message", (order: Order) => {
  if (order.kind === "close") {
    isClosing = true;
    for (const socket of clients) socket.terminate();
    process.disconnect();
    return;
  }
  obey(order).then(
    () => process.send?.(report),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
