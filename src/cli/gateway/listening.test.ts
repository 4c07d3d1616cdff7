import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";

import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { openListener, type Listener } from "../../platform/listen.ts";
import { openListening, type Address } from "./listening.ts";

const answerWith = (text: string) => (listener: Listener) =>
  listener.serve((server) => void server.on("request", (_request, response) => response.end(text)));
const ask = async ({ host, port }: Address) =>
  (await fetch(`http://${host}:${port}/`, { headers: { connection: "close" } })).text();
const first = { host: "127.0.0.1", port: 0 };

async function open(): Promise<{
  listening: Awaited<ReturnType<typeof openListening>>;
  want: (next: Address) => void;
}> {
  let wanted: Address = first;
  const listening = await openListening({
    first,
    decide: () => wanted,
    open: openListener,
    log: silentLog,
    onMoved: async () => undefined,
  });
  answerWith("old")(listening.listener);
  return { listening, want: (next) => void (wanted = next) };
}

async function hold(host: string, port: number) {
  const stranger = createServer().listen(port, host);
  await once(stranger, "listening");
  return stranger;
}

test("another port is listened on beside the old one, whose connections stay until it is closed", async () => {
  const { listening, want } = await open();
  const before = listening.port();
  assert.equal(await listening.move(), undefined, "it is there already; any free port means the one it has");
  const old = connect(before, "127.0.0.1");
  await once(old, "connect");
  const free = await hold("127.0.0.1", 0);
  const address = free.address();
  const port = typeof address === "object" && address ? address.port : 0;
  free.close();
  await once(free, "close");
  want({ host: "127.0.0.1", port });
  const moved = await listening.move();
  assert.ok(moved);
  answerWith("new")(moved.opened);
  assert.equal(await ask({ host: "127.0.0.1", port }), "new");
  await assert.rejects(ask({ host: "127.0.0.1", port: before }));
  assert.equal(old.destroyed, false);
  assert.equal(listening.url(), `ws://127.0.0.1:${port}`);
  const gone = once(old, "close");
  await Promise.all([moved.left.close(), gone]);
  await moved.opened.close();
});

test("an address that holds the old one is taken after that one was left", async () => {
  const { listening, want } = await open();
  const port = listening.port();
  want({ host: "localhost", port });
  const moved = await listening.move();
  assert.ok(moved);
  answerWith("new")(moved.opened);
  assert.equal(await ask({ host: "localhost", port }), "new");
  await moved.left.close();
  await moved.opened.close();
});

test("an address that cannot be had leaves the old one as it was", { skip: process.platform !== "linux" }, async () => {
  const { listening, want } = await open();
  const port = listening.port();
  const strangers = [await hold("127.0.0.2", port), await hold("127.0.0.2", 0)];
  for (const stranger of strangers) {
    const address = stranger.address();
    want({ host: "127.0.0.2", port: typeof address === "object" && address ? address.port : 0 });
    await assert.rejects(listening.move(), (error) => error instanceof Fault && error.code === "port_busy");
    assert.equal(await ask({ host: "127.0.0.1", port }), "old");
    assert.equal(listening.port(), port);
  }
  strangers.forEach((stranger) => stranger.close());
  await listening.listener.close();
});
