import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { createManualClock, systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { createTailscaleLogin, createWhois } from "./tailscale.ts";

const folder = mkdtempSync(join(tmpdir(), "tailscale-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const served = {
  "x-forwarded-for": "100.64.0.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "box.tail1234.ts.net",
  "tailscale-user-login": "Ann@example.com",
};
const request = (headers: Record<string, string>, remoteAddress = "127.0.0.1") => ({
  headers,
  socket: { remoteAddress },
});

function setUp(options: { isAccepted?: boolean; login?: string | undefined } = {}) {
  const clock = createManualClock();
  const asked: string[] = [];
  const login = createTailscaleLogin({
    clock,
    isAccepted: () => options.isAccepted ?? true,
    async whois(address) {
      asked.push(address);
      return "login" in options ? options.login : "ann@example.com";
    },
  });
  return { clock, asked, login };
}

test("who Serve names is who Tailscale says has that address (RB-25, OV-14, RB-28, OV-15)", async () => {
  const { login } = setUp();
  assert.equal(await login(request(served)), "ann@example.com");
  assert.equal(await login(request({ ...served, "tailscale-user-login": "eve@example.com" })), undefined);
  assert.equal(await setUp({ login: undefined }).login(request(served)), undefined);
});

test("nobody is asked about when it is off, not from here, or a header is missing", async () => {
  const off = setUp({ isAccepted: false });
  assert.equal(await off.login(request(served)), undefined);
  const { login, asked } = setUp();
  assert.equal(await login(request(served, "192.0.2.1")), undefined);
  await fc.assert(
    fc.asyncProperty(fc.subarray(Object.keys(served), { maxLength: 3 }), async (names) => {
      const some = Object.fromEntries(Object.entries(served).filter(([name]) => names.includes(name)));
      assert.equal(await login(request(some)), undefined);
    }),
  );
  for (const address of ["", "nonsense", "100.64.0.7, 100.64.0.8", "--help"])
    assert.equal(await login(request({ ...served, "x-forwarded-for": address })), undefined);
  assert.deepEqual([...off.asked, ...asked], []);
});

test("an answer holds for a minute, a missing one for five seconds", async () => {
  const known = setUp();
  for (let count = 0; count < 3; count += 1) await known.login(request(served));
  assert.equal(known.asked.length, 1);
  await known.clock.advance(60_000);
  await known.login(request(served));
  assert.equal(known.asked.length, 2);
  const unknown = setUp({ login: undefined });
  await unknown.login(request(served));
  await unknown.clock.advance(5_000);
  await unknown.login(request(served));
  assert.equal(unknown.asked.length, 2);
});

test("a stranger's many addresses are few questions at once, and most are not asked", async () => {
  let asking = 0;
  let most = 0;
  let count = 0;
  const login = createTailscaleLogin({
    clock: systemClock,
    isAccepted: () => true,
    async whois() {
      asking += 1;
      count += 1;
      most = Math.max(most, asking);
      await new Promise((resolve) => setTimeout(resolve, 1));
      asking -= 1;
      return undefined;
    },
  });
  const addresses = Array.from({ length: 500 }, (_, index) => `100.64.${index >> 8}.${index & 255}`);
  await Promise.all(addresses.map((address) => login(request({ ...served, "x-forwarded-for": address }))));
  assert.ok(most <= 2 && count <= 40, `${most} at once, ${count} in all`);
});

test("the program is asked by its arguments, and whatever it does the answer is a login or none", async () => {
  const program = join(folder, "tailscale");
  const whois = createWhois({ clock: systemClock, log: silentLog, path: () => `${folder}:/usr/bin:/bin` });
  const answerWith = (script: string) => {
    writeFileSync(program, `#!/bin/sh\necho "$@" > "${folder}/asked"\n${script}\n`);
    chmodSync(program, 0o755);
  };
  assert.equal(await whois("100.64.0.7"), undefined);
  answerWith(`echo '{"UserProfile":{"LoginName":"ann@example.com"}}'`);
  assert.equal(await whois("100.64.0.7"), "ann@example.com");
  assert.equal(readFileSync(join(folder, "asked"), "utf8"), "whois --json 100.64.0.7\n");
  for (const script of ["exit 1", "echo nonsense", "echo '{}'", `echo '{"UserProfile":{"LoginName":7}}'`]) {
    answerWith(script);
    assert.equal(await whois("100.64.0.7"), undefined, script);
  }
});
