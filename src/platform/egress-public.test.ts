import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createPublicFetch, type PublicFetchLimits } from "./egress-public.ts";

let reached: IncomingMessage[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  reached.push(request);
  answer(request, response);
});
let port = 0;
before(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  reached = [];
  answer = (_request, response) => response.end("here");
});

const limits: PublicFetchLimits = { maxBytes: 10_000, timeoutMs: 2_000, maxRedirects: 3 };
/** This machine's first address stands for the Internet, the others for what is private. */
const open = createPublicFetch({
  clock: systemClock,
  isAllowed: (address) => address === "127.0.0.1",
  lookup: async (name) => [{ address: name === "inside.test" ? "127.0.0.2" : "127.0.0.1", family: 4 }],
});
const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test("the address that was judged is the one that is connected to, whatever the name says a moment later", async () => {
  let asked = 0;
  const rebinding = createPublicFetch({
    clock: systemClock,
    isAllowed: (address) => address === "127.0.0.1",
    lookup: async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    },
  });
  let localAddress: string | undefined;
  answer = (request, response) => {
    localAddress = request.socket.localAddress;
    response.end("here");
  };
  const { body } = await rebinding(`http://rebound.test:${port}/`, limits);
  assert.equal(body.toString(), "here");
  assert.deepEqual([asked, localAddress, reached[0]?.headers.host], [1, "127.0.0.1", `rebound.test:${port}`]);
});

test("one private address among public ones is a trap", async () => {
  const mixed = createPublicFetch({
    clock: systemClock,
    isAllowed: (address) => address === "127.0.0.1",
    lookup: async () => [
      { address: "127.0.0.1", family: 4 },
      { address: "127.0.0.2", family: 4 },
    ],
  });
  await assert.rejects(mixed(`http://mixed.test:${port}/`, limits), isFault("forbidden"));
  assert.equal(reached.length, 0);
});

test("S39: every redirect is judged anew, and credentials stay with their origin", async () => {
  answer = (request, response) => {
    if (request.url === "/end") response.end("end");
    else {
      const host =
        request.url === "/other" ? `elsewhere.test:${port}` : request.url === "/inside" ? `inside.test:${port}` : "";
      response.writeHead(302, { location: host === "" ? "/end" : `http://${host}/end` }).end();
    }
  };
  const headers = { authorization: "Bearer secret" };
  const url = `http://outside.test:${port}`;
  const same = await open(`${url}/same`, { ...limits, headers });
  assert.equal(same.url, `${url}/end`);
  await open(`${url}/other`, { ...limits, headers });
  assert.deepEqual(
    reached.map((request) => request.headers.authorization),
    ["Bearer secret", "Bearer secret", "Bearer secret", undefined],
  );
  reached = [];
  await assert.rejects(open(`${url}/inside`, limits), isFault("forbidden"));
  assert.equal(reached.length, 1);
});

test("circles of redirects, redirects to files and to nonsense end", async () => {
  let location = "/";
  answer = (_request, response) => response.writeHead(302, { location }).end();
  await assert.rejects(open(`http://outside.test:${port}/`, limits), isFault("unreachable"));
  assert.equal(reached.length, 4);
  for (location of ["file:///etc/passwd", "http://", "gopher://x", "http://a:b@outside.test/"])
    await assert.rejects(open(`http://outside.test:${port}/`, limits), isFault("invalid_params"), location);
});

test("S24: a body that is too large, endless, packed, slow or of another type is not taken", async () => {
  const url = `http://outside.test:${port}/`;
  answer = (_request, response) => response.writeHead(200, { "content-length": 10_001 }).end("x".repeat(10_001));
  await assert.rejects(open(url, limits), isFault("too_large"));
  answer = (_request, response) => {
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(5_000)));
    };
    response.on("drain", write);
    write();
  };
  await assert.rejects(open(url, limits), isFault("too_large"));
  answer = (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x");
  await assert.rejects(open(url, limits), isFault("unreachable"));
  answer = (_request, response) => void response.write("x");
  await assert.rejects(open(url, { ...limits, timeoutMs: 100 }), isFault("timeout"));
  answer = () => undefined;
  await assert.rejects(open(url, { ...limits, timeoutMs: 100 }), isFault("timeout"));
  answer = (_request, response) => response.writeHead(200, { "content-type": "text/html; charset=x" }).end("x");
  await assert.rejects(open(url, { ...limits, mimeTypes: ["image/png"] }), isFault("invalid_params"));
  assert.equal((await open(url, { ...limits, mimeTypes: ["text/html"] })).mimeType, "text/html");
});

test("a server that refuses, breaks off or does not exist is one kind of trouble; the caller's abort ends it", async () => {
  const url = `http://outside.test:${port}/`;
  answer = (_request, response) => response.writeHead(404).end();
  await assert.rejects(open(url, limits), isFault("unreachable"));
  answer = (request) => request.socket.destroy();
  await assert.rejects(open(url, limits), isFault("unreachable"));
  await assert.rejects(open("http://outside.test:1/", limits), isFault("unreachable"));
  answer = () => undefined;
  const controller = new AbortController();
  const waiting = open(url, { ...limits, signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, isFault("unreachable"));
});
