// A name server that changes its mind, against the real fetch: what it said first is what counts, and what it says later is judged anew
// (S38, T36). One loopback address stands for the Internet, another for what is private; a real server listens on each.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { openDnsServer, type DnsServer } from "../../test/kit/dns-server.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isPublicAddress } from "../base/public-address.ts";
import { createPublicFetch, type PublicFetchLimits } from "./egress-public.ts";

const limits: PublicFetchLimits = { maxBytes: 10_000, timeoutMs: 2_000, maxRedirects: 5 };
const outside = "127.0.0.1";
const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

let dns: DnsServer;
let web: Server;
let inside: Server;
let port = 0;
/** Where the web server sends whoever asks it for `/away`. */
let location = "";
let connections = { outside: 0, inside: 0 };

const listen = (server: Server, at: number, host: string) =>
  new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(at, host, () => resolve(true));
  });

before(async () => {
  web = createServer((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location });
    response.end("outside");
  });
  await listen(web, 0, outside);
  const address = web.address();
  port = typeof address === "object" && address ? address.port : 0;
  inside = createServer((_request, response) => response.end("inside"));
  // the other loopback address of this system, on the same port: what follows a name must be able to get there
  assert.ok((await listen(inside, port, "::1")) || (await listen(inside, port, "127.0.0.2")));
  web.on("connection", () => (connections.outside += 1));
  inside.on("connection", () => (connections.inside += 1));
  const hidden = ["::1", "127.0.0.2"];
  dns = await openDnsServer({
    "steady.test": [[outside]],
    "rebind.test": [[outside], hidden],
    "fickle.test": [[outside], hidden, [outside], hidden],
    "mixed.test": [[outside, "::1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "nat64.test": [["64:ff9b::7f00:1"]],
    "inside.test": [hidden],
    "metadata.test": [["169.254.169.254"]],
    "empty.test": [[]],
  });
});
after(async () => {
  for (const server of [web, inside]) {
    server.closeAllConnections();
    server.close();
  }
  await dns.close();
});
beforeEach(() => {
  connections = { outside: 0, inside: 0 };
});

/** Every name's own server says where it is; only this machine's first address is outside. */
const create = () =>
  createPublicFetch({ clock: systemClock, lookup: dns.lookup, isAllowed: (address) => address === outside });
const at = (name: string, path = "/") => `http://${name}:${port}${path}`;

test("S38: a name that means something else a moment later is asked once, and what was judged is connected to", async () => {
  const fetchPublic = create();
  assert.equal((await fetchPublic(at("rebind.test"), limits)).body.toString(), "outside");
  assert.equal(dns.asked("rebind.test"), 1);
  await assert.rejects(fetchPublic(at("rebind.test"), limits), isFault("forbidden"));
  assert.deepEqual(connections, { outside: 1, inside: 0 });
});

test("S38: a redirect to the same name, rebound meanwhile, and to every other way inside is refused", async () => {
  const fetchPublic = create();
  location = at("fickle.test");
  await assert.rejects(fetchPublic(at("fickle.test", "/away"), limits), isFault("forbidden"));
  const ways = [
    "inside.test",
    "mixed.test",
    "mapped.test",
    "metadata.test",
    "[::1]",
    "127.0.0.2",
    "localhost",
    "2130706434",
  ];
  for (const way of ways) {
    location = at(way);
    await assert.rejects(
      fetchPublic(at("steady.test", "/away"), limits),
      way === "localhost" ? isFault("unreachable") : isFault("forbidden"),
      way,
    );
  }
  assert.deepEqual(connections, { outside: 1 + ways.length, inside: 0 });
});

test("S38: one private address among others, mapped and translated ones, and names without any, are refused unasked", async () => {
  const fetchPublic = create();
  for (const name of ["mixed.test", "mapped.test", "nat64.test", "inside.test", "metadata.test"])
    await assert.rejects(fetchPublic(at(name), limits), isFault("forbidden"), name);
  for (const name of ["empty.test", "unknown.test"])
    await assert.rejects(fetchPublic(at(name), limits), isFault("unreachable"), name);
  assert.deepEqual(connections, { outside: 0, inside: 0 });
});

test("S38: as the Gateway has it, whatever that name server says of this machine is refused", async () => {
  const fetchPublic = createPublicFetch({ clock: systemClock, lookup: dns.lookup, isAllowed: isPublicAddress });
  for (const name of ["steady.test", "rebind.test", "fickle.test", "mixed.test", "mapped.test", "inside.test"])
    for (let turn = 0; turn < 3; turn += 1)
      await assert.rejects(fetchPublic(at(name), limits), isFault("forbidden"), name);
  assert.deepEqual(connections, { outside: 0, inside: 0 });
});
