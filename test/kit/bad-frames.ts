// What strangers and broken clients send: frames that are wrong in a known way, and frames that were right before they were
// changed at random. Everything follows from a seed.

import type { Random } from "./random.ts";

/** Of an authenticated client. Each yields a frame that is wrong in its own way; `n` makes it another one each time. */
export const badFrames: readonly ((n: number) => string | Buffer)[] = [
  (n) => `not json ${n}`,
  () => "{",
  () => "",
  (n) => Buffer.from([n & 0xff, 0xff, 0x00, 0xc0]),
  (n) => JSON.stringify({ type: "event", id: `e${n}`, event: "tick" }),
  (n) => JSON.stringify({ type: "req", id: n, method: "health" }),
  (n) => JSON.stringify([n, [[]]]),
  () => "null",
  (n) => `{"type":"req","id":"${n}","method":"health","params":${'{"a":'.repeat(300)}1${"}".repeat(300)}}`,
  () => "[".repeat(5_000),
  (n) =>
    `{"type":"req","id":"${n}","method":"send","params":{"__proto__":{"to":"x"},"constructor":{"prototype":{"y":1}}}}`,
  (n) => `{"__proto__":{"type":"req"},"id":"${n}","method":"health"}`,
  (n) => JSON.stringify({ type: "req", id: `u${n}`, method: `no.such.method.${n}` }),
  (n) => JSON.stringify({ type: "req", id: `u${n}`, method: "constructor" }),
  (n) => JSON.stringify({ type: "req", id: `p${n}`, method: "send", params: { to: n, message: null } }),
  (n) => JSON.stringify({ type: "req", id: `p${n}`, method: "send", params: `text ${n}` }),
  (n) => `{"type":"req","id":"\\ud800${n}","method":"\\udfff","params":{"\\ud800":"\\udc00"}}`,
  (n) => JSON.stringify({ type: "req", id: `c${n}`, method: "connect", params: {} }),
  (n) => JSON.stringify({ type: "req", id: `x${"y".repeat(2_000)}${n}`, method: "health" }),
  (n) => JSON.stringify({ type: "res", id: `r${n}`, ok: true, payload: "z".repeat(3_000) }),
];

const connectWith = (auth: object) =>
  JSON.stringify({
    type: "req",
    id: "1",
    method: "connect",
    params: { minProtocol: 4, maxProtocol: 4, client: { id: "x", version: "1", platform: "p", mode: "test" }, auth },
  });

/** Of a client that is not let in. */
export const badFirstFrames: readonly (string | Buffer)[] = [
  "not json",
  Buffer.from([0xff, 0x00]),
  JSON.stringify({ type: "req", id: "1", method: "health" }),
  connectWith({ token: "wrong" }),
  connectWith({}),
  `{"a":${"[".repeat(3_000)}${"]".repeat(3_000)}}`,
  "x".repeat(100_000),
  connectWith({ token: "\ud800" }),
];

const hostile: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  2 ** 53,
  0.5,
  "",
  " ",
  "\u0000",
  "\ud800",
  "x".repeat(3_000),
  "../../../etc/passwd",
  "$(reboot)",
  "%s%n",
  "__proto__",
  [],
  {},
  [[[]]],
  { length: -1 },
  { toString: 1 },
  { toJSON: "x" },
];
const hostileKeys = ["__proto__", "constructor", "prototype", "toString", "", "0", "id", "\u2028", "x".repeat(300)];

/** The same value with one place in it changed: replaced, left out, doubled or added. */
export function mutateValue(value: unknown, random: Random): unknown {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length === 0 || random(4) === 0) return hostile[random(hostile.length)];
  const chosen = random(entries.length);
  const changed = entries.flatMap(([key, inner], index): [string, unknown][] => {
    if (index !== chosen) return [[key, inner]];
    const kind = random(8);
    if (kind === 0) return [];
    const other = hostileKeys[random(hostileKeys.length)] ?? "";
    if (kind === 1) return [[other, inner]];
    if (kind === 2)
      return [
        [key, inner],
        [other, hostile[random(hostile.length)]],
      ];
    return [[key, mutateValue(inner, random)]];
  });
  if (Array.isArray(value)) return changed.map(([, inner]) => inner);
  // defined one by one, so that a key `__proto__` is a key
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of changed)
    Object.defineProperty(copy, key, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** The same bytes with a few of them flipped, taken out, put in, doubled, or all cut off from there on. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let times = random(4); times >= 0; times -= 1) {
    const at = random(result.length + 1);
    const length = random(12);
    const [head, rest] = [result.subarray(0, at), result.subarray(at)];
    const kind = random(5);
    if (kind === 0)
      result = Buffer.concat([head, rest.map((byte, index) => (index === 0 ? byte ^ (1 << random(8)) : byte))]);
    else if (kind === 1) result = Buffer.concat([head, rest.subarray(length)]);
    else if (kind === 2) result = Buffer.concat([head, Buffer.from(Array.from({ length }, () => random(256))), rest]);
    else if (kind === 3) result = Buffer.concat([head, rest.subarray(0, length), rest]);
    else if (at > 0) result = Buffer.from(head);
  }
  return result;
}
