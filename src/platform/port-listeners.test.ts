import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces, userInfo } from "node:os";
import { test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { systemClock } from "../base/clock.ts";
import { createEnv } from "./env.ts";
import { findLsof, parseLsof } from "./lsof.ts";
import { parseSockets, readPortUsage } from "./port-listeners.ts";
import { createRunProcess } from "./process.ts";

const run = createRunProcess(systemClock);
const env = createEnv(brandOf("openclaw"));
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const hasLsof = (await findLsof({ env, run })) !== undefined;
const platforms = [process.platform, ...(hasLsof ? ["darwin" as const] : [])];

async function listen(host: string, port = 0): Promise<Server & { port: number }> {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

test("who listens is named, from the kernel's tables and from lsof alike", async (t) => {
  if (process.platform === "win32") return t.skip("no such tables");
  const server = await listen("127.0.0.1");
  const both = hasIpv6 ? await listen("::1", server.port) : undefined;
  try {
    for (const platform of platforms) {
      const usage = await readPortUsage(server.port, { env, run, platform });
      assert.equal(usage.status, "busy");
      assert.deepEqual(
        usage.listeners.map(({ address }) => address).toSorted(),
        [`127.0.0.1:${server.port}`, ...(both ? [`[::1]:${server.port}`] : [])],
        platform,
      );
      for (const { pid, user, commandLine } of usage.listeners) {
        assert.deepEqual([pid, user], [process.pid, userInfo().username]);
        assert.match(commandLine ?? "", /node/u);
      }
    }
  } finally {
    server.close();
    both?.close();
  }
  for (const platform of platforms)
    assert.deepEqual(await readPortUsage(server.port, { env, run, platform }), {
      port: server.port,
      status: "free",
      listeners: [],
    });
});

test("where nothing can tell, the port is unknown rather than free", async (t) => {
  if (hasLsof) return t.skip("lsof is at one of its usual places here");
  assert.equal((await readPortUsage(1, { env, run, platform: "darwin" })).status, "unknown");
});

test("the kernel's tables are read whatever the address", () => {
  const row = (address: string, state = "0A") =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0`;
  const text = [
    "  sl  local_address rem_address   st",
    row("0100007F:4965"),
    row("00000000:4965"),
    row("00000000000000000000000001000000:4965"),
    row("00000000000000000000000000000000:4965"),
    row("B80D01200000000067452301EFCDAB89:4965"),
    row("0100007F:4966", "01"),
    "",
  ].join("\n");
  assert.deepEqual(
    parseSockets(text).map(({ address }) => address),
    ["127.0.0.1:18789", "0.0.0.0:18789", "[::1]:18789", "[::]:18789", "[2001:db8::123:4567:89ab:cdef]:18789"],
  );
  assert.partialDeepStrictEqual(parseSockets(text)[0], { uid: 1000, inode: "4711", port: 18_789 });
  fc.assert(fc.property(fc.string(), (noise) => void parseSockets(noise)));
});

test("lsof's fields become rows, with addresses and without", () => {
  assert.deepEqual(parseLsof("p7\ncnode\nf18\nn127.0.0.1:1\nf19\nn[::1]:1\np8\ncmy server\nf3\nn*:1\n"), [
    { pid: 7, command: "node", address: "127.0.0.1:1" },
    { pid: 7, command: "node", address: "[::1]:1" },
    { pid: 8, command: "my server", address: "*:1" },
  ]);
  assert.deepEqual(parseLsof("p7\ncnode\np8\ncother\n"), [
    { pid: 7, command: "node", address: "" },
    { pid: 8, command: "other", address: "" },
  ]);
  fc.assert(
    fc.property(fc.string(), (noise) => {
      for (const { pid } of parseLsof(noise)) assert.ok(Number.isInteger(pid) && pid > 0);
    }),
  );
});
