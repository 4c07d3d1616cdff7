import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { isPublicAddress } from "./public-address.ts";

const octet = fc.integer({ min: 0, max: 255 });
const v4 = (...parts: readonly fc.Arbitrary<number>[]) => fc.tuple(...parts).map((numbers) => numbers.join("."));
const just = (value: number) => fc.constant(value);
const privateV4 = fc.oneof(
  v4(just(10), octet, octet, octet),
  v4(just(127), octet, octet, octet),
  v4(just(0), octet, octet, octet),
  v4(just(169), just(254), octet, octet),
  v4(just(192), just(168), octet, octet),
  v4(just(172), fc.integer({ min: 16, max: 31 }), octet, octet),
  v4(just(100), fc.integer({ min: 64, max: 127 }), octet, octet),
  v4(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
);
const toHex = (address: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
};

test("no private address of IPv4 is public, nor any IPv6 spelling of it", () => {
  fc.assert(
    fc.property(privateV4, (address) => {
      assert.equal(isPublicAddress(address), false, address);
      for (const wrapped of [
        `::ffff:${address}`,
        `::${toHex(address)}`,
        `64:ff9b::${toHex(address)}`,
        `2002:${toHex(address)}::1`,
      ])
        assert.equal(isPublicAddress(wrapped), false, wrapped);
    }),
    { numRuns: 2_000 },
  );
});

test("what is local, reserved, scoped or no address is not public", () => {
  for (const address of [
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "3fff::1",
    "64:ff9b:1::1",
    "100::1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "255.255.255.255",
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
  ])
    assert.equal(isPublicAddress(address), false, address);
});

test("ordinary addresses are public", () => {
  for (const address of [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "172.32.0.1",
    "223.255.255.254",
    "2606:4700::1111",
    "2a00:1450::1",
  ])
    assert.equal(isPublicAddress(address), true, address);
});
