// Every way to write an address that is not public, against the real fetch: refused before any connection is tried (S38, T36).

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type Server } from "node:net";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createPublicFetch, type PublicFetchLimits } from "./egress-public.ts";

const limits: PublicFetchLimits = { maxBytes: 10_000, timeoutMs: 2_000, maxRedirects: 3 };
const fetchPublic = createPublicFetch({ clock: systemClock });

/** Who is behind the loopback address; and every connection that this process begins, whatever becomes of it. */
let reached = 0;
let tried = 0;
let port = 0;
let server: Server;
const count = () => {
  tried += 1;
};
before(async () => {
  server = createServer((socket) => {
    reached += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
after(() => {
  server.close();
});

/** Hooks would count what the tests of other files connect to: they may share this process. */
function testUntried(name: string, body: () => Promise<void>): void {
  void test(name, async () => {
    reached = 0;
    tried = 0;
    subscribe("net.client.socket", count);
    try {
      await body();
    } finally {
      unsubscribe("net.client.socket", count);
    }
    assert.deepEqual({ reached, tried }, { reached: 0, tried: 0 });
  });
}

/** @throws unless it is refused for what it is: "nobody answered there" would mean that somebody was asked. */
async function checkRefused(url: string, codes: readonly string[] = ["forbidden", "invalid_params"]): Promise<void> {
  await assert.rejects(
    fetchPublic(url, limits),
    (error) => error instanceof Fault && codes.includes(error.code) && !error.message.includes("cannot fetch"),
    url,
  );
}

type Octets = readonly [number, number, number, number];

const hex = (value: number, digits = 0) => value.toString(16).padStart(digits, "0");
const whole = ([a, b, c, d]: Octets) => a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
const pair = (high: number, low: number) => hex(high * 256 + low);
/** The last two groups of an IPv6 address that carries an IPv4 one. */
const groups = ([a, b, c, d]: Octets) => `${pair(a, b)}:${pair(c, d)}`;
const fullWidth = (text: string) =>
  text.replaceAll(/[0-9.]/gu, (sign) => (sign === "." ? "．" : String.fromCodePoint(0xff10 + Number(sign))));
const circled = (text: string) =>
  text.replaceAll(/[1-9]/gu, (digit) => String.fromCodePoint(0x2460 + Number(digit) - 1)).replaceAll("0", "⓪");

/** What the URL standard reads as that address. */
const spellings: Readonly<Record<string, (octets: Octets) => string>> = {
  dotted: (octets) => octets.join("."),
  "trailing dot": (octets) => `${octets.join(".")}.`,
  "one number": (octets) => String(whole(octets)),
  "one hex number": (octets) => `0x${hex(whole(octets))}`,
  "one octal number": (octets) => `0${whole(octets).toString(8)}`,
  "octal parts": (octets) => octets.map((part) => `0${part.toString(8)}`).join("."),
  "hex parts": (octets) => octets.map((part) => `0X${hex(part, 8)}`).join("."),
  "mixed parts": ([a, b, c, d]) => `0x${hex(a)}.${b}.0${c.toString(8)}.${d}`,
  "two parts": ([a, b, c, d]) => `${a}.${b * 2 ** 16 + c * 2 ** 8 + d}`,
  "three parts": ([a, b, c, d]) => `${a}.${b}.${c * 256 + d}`,
  "full width": (octets) => fullWidth(octets.join(".")),
  circled: (octets) => circled(octets.join(".")),
  "ideographic dots": (octets) => octets.join("。"),
  "half-width dots": (octets) => octets.join("｡"),
  "percent signs": (octets) => octets.join(".").replaceAll(/\d/gu, (digit) => `%3${digit}`),
  "percent dots": (octets) => octets.join("%2E"),
  "soft hyphen": (octets) => octets.join(".\u00AD"),
  "zero width": (octets) => octets.join(".\u200B"),
  mapped: (octets) => `[::ffff:${octets.join(".")}]`,
  "mapped, hex": (octets) => `[::FFFF:${groups(octets)}]`,
  "mapped, in full": (octets) => `[0:0:0:0:0:ffff:${groups(octets)}]`,
  compatible: (octets) => `[::${octets.join(".")}]`,
  translated: (octets) => `[::ffff:0:${octets.join(".")}]`,
  NAT64: (octets) => `[64:ff9b::${octets.join(".")}]`,
  "NAT64, local": (octets) => `[64:ff9b:1::${groups(octets)}]`,
  "NAT64, local, /48": ([a, b, c, d]) => `[64:ff9b:1:${pair(a, b)}:00${hex(c, 2)}:${hex(d, 2)}00::]`,
  "6to4": (octets) => `[2002:${groups(octets)}::1]`,
  Teredo: ([a, b, c, d]) => `[2001:0:4136:e378:8000:63bf:${pair(255 - a, 255 - b)}:${pair(255 - c, 255 - d)}]`,
  "Teredo's server": (octets) => `[2001:0:${groups(octets)}:8000:63bf:3fff:fdd2]`,
  ISATAP: (octets) => `[fe80::5efe:${octets.join(".")}]`,
};

/** The first and the last address of each block that is not public. */
const edges: readonly Octets[] = [
  [0, 0, 0, 0],
  [0, 255, 255, 255],
  [10, 0, 0, 0],
  [10, 255, 255, 255],
  [100, 64, 0, 0],
  [100, 127, 255, 255],
  [127, 0, 0, 0],
  [127, 0, 0, 1],
  [127, 255, 255, 255],
  [169, 254, 0, 0],
  [169, 254, 169, 254],
  [169, 254, 255, 255],
  [172, 16, 0, 0],
  [172, 31, 255, 255],
  [192, 0, 0, 0],
  [192, 0, 0, 192],
  [192, 0, 2, 255],
  [192, 88, 99, 1],
  [192, 168, 0, 0],
  [192, 168, 255, 255],
  [198, 18, 0, 0],
  [198, 19, 255, 255],
  [198, 51, 100, 7],
  [203, 0, 113, 255],
  [224, 0, 0, 1],
  [239, 255, 255, 255],
  [240, 0, 0, 0],
  [255, 255, 255, 255],
];

testUntried(
  "S38: the edges of every block that is not public, in every spelling, are refused before anything is tried",
  async () => {
    for (const octets of edges)
      for (const [name, spell] of Object.entries(spellings)) {
        const url = `http://${spell(octets)}:${port}/`;
        // what is no address at all is refused by being no URL; the others must be read as what they are
        if (URL.canParse(url)) await checkRefused(url);
        else assert.ok(["percent dots", "zero width", "soft hyphen", "circled"].includes(name), `${name}: ${url}`);
      }
  },
);

testUntried(
  "S38: five thousand private addresses in spellings at random are refused before anything is tried",
  async () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const head = fc.constantFrom([10], [127], [0], [169, 254], [192, 168], [172, 20], [100, 100], [198, 18], [240]);
    const addresses = fc
      .tuple(head, octet, octet, octet)
      .map(([first, ...rest]) => [...first, ...rest].slice(0, 4) as unknown as Octets);
    const spell = fc.constantFrom(...Object.values(spellings));
    const scheme = fc.constantFrom("http://", "https://", "HTTP:\\\\", "http:////", "ht\ntp://", "http:");
    await fc.assert(
      fc.asyncProperty(addresses, spell, scheme, async (octets, write, start) => {
        await checkRefused(`${start}${write(octets)}:${port}/path?query`);
      }),
      { numRuns: 5_000 },
    );
  },
);

testUntried(
  "S38: IPv6 that is local, private, reserved or has a zone is refused before anything is tried",
  async () => {
    const hosts =
      "[::1] [::] [0:0:0:0:0:0:0:1] [fe80::1] [fe80::1%25eth0] [fe80::1%25lo] [fe80::1%lo] [fec0::1] [fc00::1] [fd00:ec2::254] [fdff::] " +
      "[ff02::1] [100::1] [2001:db8::1] [2001:10::1] [2001:20::1] [2001:2::1] [3fff::1] [5f00::1] [4000::1] [::ffff:7f00:1] [2620:4f:8000::1]";
    for (const host of hosts.split(" ")) await checkRefused(`http://${host}:${port}/`);
  },
);

testUntried("S38: what stands around the host does not hide it", async () => {
  const inside = `127.0.0.1:${port}`;
  for (const url of [
    `http://public.example@${inside}/`,
    `http://public.example:80@${inside}/`,
    `http://public.example%40${inside}/`,
    `http://${inside}\\@public.example/`,
    `http://${inside}#@public.example/`,
    `http://${inside}?@public.example/`,
    `http:\\\\${inside}\\@public.example/`,
    `http://\t${inside}/`,
    `http://127.0.\n0.1:${port}/`,
    ` http://${inside}/ `,
    `//${inside}/`,
    `ftp://${inside}/`,
    `file://${inside}/etc/passwd`,
    `gopher://${inside}/`,
    `data:text/plain,x`,
    `http://[::1]@${inside}/`,
    `http://[${inside}]/`,
    "http://",
    "",
  ])
    await checkRefused(url);
});

testUntried(
  "S38: names that mean this machine are refused like their addresses, as this system knows them",
  async () => {
    const names = ["localhost", "localhost.", "LOCALHOST", "ｌｏｃａｌｈｏｓｔ", "a.localhost", "ip6-localhost"];
    // a name that this system does not know leads nowhere, and nobody was asked
    for (const name of names) await checkRefused(`http://${name}:${port}/`, ["forbidden", "unreachable"]);
    await checkRefused(`http://localhost:${port}/`, ["forbidden"]);
  },
);
