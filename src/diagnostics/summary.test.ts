import assert from "node:assert/strict";
import { test } from "node:test";

import type { Manifest } from "./bundle.ts";
import { files } from "./files.ts";
import { renderSummary, type TimelineFile } from "./summary.ts";
import type { Life } from "./timeline.ts";

const createdAt = "2026-11-21T12:00:00.000Z";
const now = Date.parse(createdAt);
const manifest: Manifest = {
  format: 1,
  product: "openclaw",
  version: "1.2.3",
  createdAt,
  hours: 24,
  files: [],
  failed: [],
  leftOut: [],
  checkBeforeSharing: [],
};
const life: Life = {
  startedAt: now - 3_600_000,
  pid: 7,
  version: "1.2.3",
  node: "24",
  config: "last-good",
  isRestart: false,
  upMs: 90,
  steps: [["config", 12]],
  lastSeenAt: now - 600_000,
  end: "running",
};

function render(timeline: Partial<TimelineFile>, more: readonly (readonly [string, unknown])[] = []): string {
  const whole: TimelineFile = { lives: [life], events: [], damaged: 0, isRunning: true, silentMs: 1_000, ...timeline };
  return renderSummary(new Map<string, unknown>([[files.timeline, whole], ...more]), manifest);
}

test("a Gateway that runs, answers nothing and tells nothing is told to hang (R45)", () => {
  const page = render({ silentMs: 600_000 });
  assert.match(page, /^- Gateway: runs since 2026-11-21T11:00:00Z, version 1\.2\.3, config: last-good$/mu);
  assert.match(page, /told nothing for 10 min though it runs: its event loop may hang/u);
  assert.match(page, /it runs and did not answer/u);
  assert.doesNotMatch(render({}, [[files.health, { ok: true }]]), /may hang|did not answer/u);
});

test("one that does not run says how its last life ended, and what the minutes before were like (R45)", () => {
  const minute = {
    kind: "minute",
    at: now - 700_000,
    lag: { p50: 1, p99: 40, max: 4_200 },
    busy: 0.9,
    rss: 200 * 1024 * 1024,
    sockets: 4,
    clients: 2,
    queue: { queued: 3, running: 1, outbox: 2 },
    channels: [{ channel: "telegram", account: "default", isUp: false, pollAge: 90_000 }],
  };
  const page = render({ isRunning: false, silentMs: null, lives: [{ ...life, end: "silent" }] }, [
    [files.minutes, [minute]],
  ]);
  assert.match(page, /\*\*does not run\*\*; its last life \*\*ended without a word\*\* at 2026-11-21T11:50:00Z/u);
  assert.match(page, /at worst 4200 ms late, at 2026-11-21T11:48:20Z; more than 100 ms in 1 of 1 minutes/u);
  assert.match(page, /Memory: 200 MB last, 200 MB at most; 4 sockets, 2 clients/u);
  assert.match(page, /Queue: 1 run, 3 wait, 2 to send/u);
  assert.match(page, /Channel telegram default: \*\*down\*\*; polled 90 s before, received never, sent never/u);
});
