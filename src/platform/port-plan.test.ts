import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { createEnv } from "./env.ts";
import {
  findOwnClashes,
  findPortClashes,
  fullSpacing,
  listPortUses,
  planPorts,
  renderClash,
  type PlanOptions,
} from "./port-plan.ts";

const plan = (base: number, config: PlanOptions["config"] = {}, variables: Record<string, string> = {}) =>
  planPorts({ base, config, env: createEnv(brandOf("openclaw"), variables) });

test("RB-49..52, MG-21..24, MG-27, OV-30: the default port, the dev port and the rescue port have the ports of the runbooks (RB-46, RB-47, MG-06)", () => {
  const ports = (base: number) => {
    const { gateway, browserControl, extensionRelay, canvas, cdp } = plan(base);
    return [gateway, browserControl, extensionRelay, canvas, cdp?.first, cdp?.last];
  };
  assert.deepEqual(ports(18_789), [18_789, 18_791, 18_792, 18_793, 18_800, 18_899]);
  assert.deepEqual(ports(19_001), [19_001, 19_003, 19_004, 19_005, 19_012, 19_111]);
  assert.deepEqual(ports(19_789), [19_789, 19_791, 19_792, 19_793, 19_800, 19_899]);
});

test("RB-51: the canvas port is that of the environment, else of the config, else base + 4", () => {
  const config = { canvasHost: { port: 20_000 } };
  assert.equal(plan(18_789, config, { OPENCLAW_CANVAS_HOST_PORT: "21000" }).canvas, 21_000);
  assert.equal(plan(18_789, config, { CLAWDBOT_CANVAS_HOST_PORT: "22000" }).canvas, 22_000);
  assert.equal(plan(18_789, config).canvas, 20_000);
  assert.equal(plan(18_789, config, { OPENCLAW_CANVAS_HOST_PORT: "many" }).canvas, 20_000);
  assert.equal(plan(18_789, {}, { OPENCLAW_CANVAS_HOST_PORT: "70000" }).canvas, 18_793);
});

test("MG-24: browser.controlPort moves the range of the browser profiles; a profile's own port is listed", () => {
  const moved = plan(18_789, { browser: { controlPort: 30_000, profiles: { work: { cdpPort: 9_222 }, far: {} } } });
  assert.deepEqual([moved.browserControl, moved.cdp], [30_000, { first: 30_009, last: 30_108 }]);
  assert.equal(moved.extensionRelay, 18_792);
  assert.deepEqual(moved.cdpProfiles, { work: 9_222 });
});

test("what is switched off has no port", () => {
  assert.equal(plan(18_789, { canvasHost: { enabled: false } }).canvas, undefined);
  assert.equal(plan(18_789, {}, { CLAWDBOT_SKIP_CANVAS_HOST: "1" }).canvas, undefined);
  assert.deepEqual(plan(18_789, { browser: { enabled: false } }), { gateway: 18_789, canvas: 18_793 });
  assert.deepEqual(plan(18_789, {}, { OPENCLAW_SKIP_BROWSER_CONTROL_SERVER: "1" }), {
    gateway: 18_789,
    canvas: 18_793,
  });
});

test("no plan has a port beyond the last one, whatever the base port", () => {
  assert.deepEqual(plan(65_534), {
    gateway: 65_534,
    browserControl: 18_791,
    extensionRelay: 18_792,
    canvas: 18_793,
    cdp: { first: 18_800, last: 18_899 },
  });
  // the single ports fit, the range does not
  assert.deepEqual(plan(65_500).cdp, { first: 18_800, last: 18_899 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), (base) => {
      for (const { first, last } of listPortUses(plan(base))) {
        assert.ok(first >= 1 && last <= 65_535 && first <= last, `${base}: ${first}-${last}`);
      }
      assert.deepEqual(findOwnClashes(plan(base)), []);
    }),
  );
});

test("RB-55: 19001 and 19002 want the same ports for relay, control and canvas, and 20 apart only browser profiles meet (MG-14)", () => {
  const clashes = findPortClashes(plan(19_001), plan(19_002));
  assert.deepEqual(clashes.map(renderClash), [
    "19004 (extension relay, there browser control)",
    "19005 (canvas, there extension relay)",
    "19013-19111 (browser profiles)",
  ]);
  assert.deepEqual(
    clashes.map(({ isSoft }) => isSoft),
    [false, false, true],
  );
  const apart = (spacing: number) => findPortClashes(plan(18_789), plan(18_789 + spacing));
  assert.ok(apart(20).length > 0 && apart(20).every(({ isSoft }) => isSoft));
  assert.deepEqual(apart(fullSpacing), []);
  assert.deepEqual(findPortClashes(plan(18_789), plan(19_001)), [], "main and dev");
});

test("clashes are the same from both sides, and there are none from 120 ports on", () => {
  const base = fc.integer({ min: 1, max: 65_000 });
  fc.assert(
    fc.property(base, base, (one, other) => {
      const seen = findPortClashes(plan(one), plan(other)).map(({ first, last }) => `${first}-${last}`);
      const back = findPortClashes(plan(other), plan(one)).map(({ first, last }) => `${first}-${last}`);
      assert.deepEqual(seen.toSorted(), back.toSorted());
      if (Math.abs(one - other) >= fullSpacing) assert.deepEqual(seen, []);
    }),
  );
});

test("two parts of one Gateway on one port are found", () => {
  const clashes = findOwnClashes(plan(18_789, { canvasHost: { port: 18_789 }, browser: { controlPort: 18_792 } }));
  assert.deepEqual(clashes.map(renderClash), [
    "18789 (Gateway, there canvas)",
    "18792 (browser control, there extension relay)",
  ]);
});
