import assert from "node:assert/strict";
import { test } from "node:test";

import { peerOf } from "./peer.ts";

const peer = (remoteAddress: string | undefined, headers: Record<string, string> = {}, proxies: string[] = []) =>
  peerOf({ headers: { host: "127.0.0.1:18789", ...headers }, socket: { remoteAddress } }, proxies);

test("a loopback peer is local, in every spelling of its address", () => {
  for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    assert.equal(peer(address).isLocal, true, address);
  for (const address of ["192.168.1.5", "::ffff:10.0.0.1", "fe80::1", undefined])
    assert.equal(peer(address).isLocal, false, String(address));
});

test("who calls this machine by a name that is not its own is not local: a page may have led it here", () => {
  for (const host of ["localhost:18789", "127.0.0.1", "[::1]:18789", "box.tail1234.ts.net"])
    assert.equal(peer("127.0.0.1", { host }).isLocal, true, host);
  for (const host of ["rebound.example:18789", "127.0.0.1.example", "", "localhost.evil.example"])
    assert.equal(peer("127.0.0.1", { host }).isLocal, false, host);
});

test("a trusted proxy's word counts for the address, up to the first that is not ours, and never makes local", () => {
  const behind = (forwarded: string) => peer("10.0.0.2", { "x-forwarded-for": forwarded }, ["10.0.0.2", "10.0.0.3"]);
  assert.equal(behind("203.0.113.7").address, "203.0.113.7");
  assert.equal(behind("127.0.0.1").isLocal, false);
  assert.equal(behind("6.6.6.6, 203.0.113.7, 10.0.0.3").address, "203.0.113.7");
  assert.equal(behind("nonsense").address, "10.0.0.2");
  assert.notEqual(behind("203.0.113.7").source, behind("203.0.113.8").source);
  assert.equal(peer("10.0.0.9", { "x-forwarded-for": "203.0.113.7" }, ["10.0.0.2"]).address, "10.0.0.9");
});

test("any forwarding header makes a loopback peer remote, and gives it a budget of its own", () => {
  const direct = peer("127.0.0.1");
  for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "via", "x-forwarded-host", "tailscale-user-login"]) {
    const through = peer("127.0.0.1", { [name]: "127.0.0.1" });
    assert.equal(through.isLocal, false, name);
    assert.notEqual(through.source, direct.source, name);
  }
});

test("what a forwarding header says changes nothing: it cannot buy new budgets", () => {
  const one = peer("127.0.0.1", { "x-forwarded-for": "1.1.1.1" });
  const other = peer("127.0.0.1", { "x-forwarded-for": "2.2.2.2", forwarded: "for=3.3.3.3" });
  assert.equal(one.source, other.source);
});

test("addresses of one IPv6 network are one source", () => {
  assert.equal(peer("2001:db8:1:2::5").source, peer("2001:db8:1:2:ffff:1:2:3").source);
  assert.notEqual(peer("2001:db8:1:2::5").source, peer("2001:db8:1:3::5").source);
  assert.equal(peer("2001:db8::1").source, "2001:db8:0:0::/64");
  assert.equal(peer("fe80::1%eth0").source, "fe80:0:0:0::/64");
  assert.equal(peer("::ffff:192.0.2.1").source, "192.0.2.1");
});
