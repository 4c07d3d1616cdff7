import assert from "node:assert/strict";
import { test } from "node:test";

import { isNameAllowed, isOriginAllowed, renderOriginHelp } from "./origin.ts";

test("a program that is no browser sends no origin and may go on", () => {
  assert.equal(isOriginAllowed(undefined, "anything.example", []), true);
});

test("a page of the Gateway's own address may talk to it", () => {
  for (const [origin, host] of [
    ["http://127.0.0.1:18789", "127.0.0.1:18789"],
    ["http://localhost:18789", "localhost:18789"],
    ["http://[::1]:18789", "[::1]:18789"],
    ["http://192.168.1.20:18789", "192.168.1.20:18789"],
    ["https://box.tail1234.ts.net", "box.tail1234.ts.net"],
  ] as const)
    assert.equal(isOriginAllowed(origin, host, []), true, origin);
});

test("a foreign page is refused, on loopback too", () => {
  for (const origin of [
    "https://evil.example",
    "http://localhost:3000",
    "http://127.0.0.1:18790",
    "null",
    "",
    "file://",
    "http://127.0.0.1:18789.evil.example",
    "http://evil.example/127.0.0.1:18789",
    "http://127.0.0.1:18789, https://evil.example",
  ])
    assert.equal(isOriginAllowed(origin, "127.0.0.1:18789", []), false, origin);
});

test("a name that a stranger's DNS points at us is not our own address", () => {
  assert.equal(isOriginAllowed("http://rebound.evil.example:18789", "rebound.evil.example:18789", []), false);
  assert.equal(isOriginAllowed("http://localhost.evil.example:1", "localhost.evil.example:1", []), false);
});

test("listed origins are accepted in any spelling, others still are not", () => {
  const allowed = ["https://Panel.example/", "chrome-extension://abcdef", "tauri://localhost", "*", "nonsense"];
  assert.equal(isOriginAllowed("https://panel.example", "127.0.0.1:1", allowed), true);
  assert.equal(isOriginAllowed("https://panel.example:443", "127.0.0.1:1", allowed), true);
  assert.equal(isOriginAllowed("chrome-extension://abcdef", "127.0.0.1:1", allowed), true);
  assert.equal(isOriginAllowed("tauri://localhost", "127.0.0.1:1", allowed), true);
  assert.equal(isOriginAllowed("http://panel.example", "127.0.0.1:1", allowed), false);
  assert.equal(isOriginAllowed("chrome-extension://other", "127.0.0.1:1", allowed), false);
  assert.equal(isOriginAllowed("https://evil.example", "127.0.0.1:1", allowed), false);
});

test("the refusal names the config line, on one line, whatever the origin holds", () => {
  const help = renderOriginHelp('https://a.example"]\r\nx: y');
  assert.match(help, /gateway\.controlUi\.allowedOrigins: \["https:\/\/a\.example/u);
  assert.doesNotMatch(help, /[\r\n]/u);
});

test("a browser that was led here by a stranger's name is refused, other programs are not", () => {
  const browser = "Mozilla/5.0 (X11; Linux x86_64)";
  for (const host of ["127.0.0.1:18789", "[::1]:18789", "localhost", "192.168.1.20:1", "box.tail1234.ts.net"])
    assert.equal(isNameAllowed(host, browser, []), true, host);
  for (const host of ["rebound.evil.example:18789", "localhost.evil.example", "", "a b", undefined])
    assert.equal(isNameAllowed(host, browser, ["https://panel.example"]), false, String(host));
  assert.equal(isNameAllowed("panel.example", browser, ["https://panel.example"]), true);
  assert.equal(isNameAllowed("server:18789", "curl/8.5.0", []), true);
  assert.equal(isNameAllowed("server:18789", undefined, []), true);
});
