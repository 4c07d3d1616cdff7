import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { isApart, listKnownPorts, portSpacing, suggestPort } from "./port.ts";

let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "ports-"));
});
after(() => rm(home, { recursive: true, force: true }));

test("the first suggestion beside the default Gateway is 19789 (MG-18)", () => {
  assert.equal(suggestPort([18_789, 19_001]), 19_789);
  assert.equal(suggestPort([18_789, 19_001, 19_789]), 20_789);
  assert.equal(suggestPort([19_770]), 19_789 + 1_000);
});

test("a suggestion keeps its distance from every port that is known, or there is none", () => {
  const ports = fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 60 });
  fc.assert(
    fc.property(ports, (taken) => {
      const port = suggestPort(taken);
      if (port === undefined) return;
      assert.ok(port > 0 && port + 110 <= 65_535);
      assert.ok(isApart(port, taken) && taken.every((other) => Math.abs(other - port) >= portSpacing));
    }),
  );
});

test("configs of both names and all profiles count but for one's own; what cannot be read counts for nothing", async () => {
  const write = async (folder: string, name: string, text: string) => {
    await mkdir(join(home, folder), { recursive: true });
    await writeFile(join(home, folder, name), text);
  };
  await write(".openclaw-rescue", "openclaw.json", "{ gateway: { port: 19789 } } // spare");
  await write(".clawdbot", "moltbot.json", '{"gateway":{"port":20001}}');
  await write(".openclaw-own", "openclaw.json", "{ gateway: { port: 21001 } }");
  await write(".openclaw-broken", "openclaw.json", "{ gateway: ");
  await write(".openclaw-odd", "openclaw.json", "{ gateway: { port: 'many' } }");
  await write("notes", "openclaw.json", "{ gateway: { port: 22001 } }");
  const own = join(home, ".openclaw-own", "openclaw.json");
  const known = await listKnownPorts(home, brandOf("openclaw"), own);
  assert.deepEqual([...known].toSorted(), [18_789, 19_001, 19_789, 20_001]);
  assert.deepEqual([...(await listKnownPorts(join(home, "nobody"), brandOf("moltbot"), ""))], [18_789, 19_001]);
});
