import assert from "node:assert/strict";
import { test } from "node:test";

import { checkAddress, isLoopback, toGatewayKey } from "./address.ts";

const isFine = (url: string, plain: "private" | "named" | "any" = "private") => checkAddress(url, plain) === undefined;

test("without TLS only this machine, private networks and a tailnet are spoken to", () => {
  const near = [
    "127.0.0.1",
    "127.8.9.1",
    "localhost",
    "[::1]",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.1",
    "192.168.1.5",
  ];
  const tailnet = ["100.64.0.1", "100.127.255.254", "box.tail1234.ts.net", "[fd7a:115c:a1e0::1]"];
  const local = ["169.254.3.4", "[fe80::1]", "[fd00::1]", "[fc12::1]", "box.local", "box.local."];
  for (const host of [...near, ...tailnet, ...local]) assert.ok(isFine(`ws://${host}:18789`), host);
  const far = ["198.51.100.7", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.169.0.1", "11.0.0.1"];
  const names = ["gateway", "example.com", "127.0.0.1.evil.example", "10.0.0.1.evil.example", "local", "evil-ts.net"];
  const six = ["[2001:db8::1]", "[::ffff:198.51.100.7]", "[::]"];
  for (const host of [...far, ...names, ...six]) {
    assert.equal(checkAddress(`ws://${host}:18789`, "private")?.code, "usage", host);
    assert.ok(isFine(`wss://${host}:18789`), host);
    assert.ok(isFine(`ws://${host}:18789`, "any"), host);
  }
});

test("an address in disguise is seen for what it is", () => {
  // 10.0.0.1 and 198.51.100.7 as one number, and in octal
  assert.ok(isFine("ws://167772161"));
  assert.ok(!isFine("ws://3325256711"));
  assert.ok(!isFine("ws://0306.063.0144.07"));
  assert.ok(isFine("ws://0x7f.1"));
  assert.ok(!isFine("ws://10.0.0.1@198.51.100.7"));
});

test("names are for those who allowed them, public addresses are not", () => {
  assert.ok(isFine("ws://gateway:18789", "named"));
  assert.ok(!isFine("ws://198.51.100.7:18789", "named"));
  assert.ok(!isFine("ws://[2001:db8::1]:18789", "named"));
});

test("another scheme is none, whatever is allowed", () => {
  for (const url of ["http://127.0.0.1:1", "127.0.0.1:1", "", "javascript:1", "wss:", "file:///x"])
    assert.equal(checkAddress(url, "any")?.code, "usage", url);
});

test("one Gateway has one key, however its URL is written", () => {
  assert.equal(toGatewayKey("ws://LOCALHOST:18789/"), toGatewayKey("ws://localhost:18789/path?x=1"));
  assert.equal(toGatewayKey("wss://box.example:443"), toGatewayKey("wss://box.example"));
  assert.notEqual(toGatewayKey("ws://box.example"), toGatewayKey("wss://box.example"));
  assert.notEqual(toGatewayKey("ws://localhost:1"), toGatewayKey("ws://localhost:2"));
});

test("this machine is known by all its names, and by no other's", () => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "localhost."])
    assert.ok(isLoopback(`ws://${host}:1`), host);
  for (const host of ["localhost.evil.example", "128.0.0.1", "127.0.0.1.evil.example", "[::2]"])
    assert.ok(!isLoopback(`ws://${host}:1`), host);
});
