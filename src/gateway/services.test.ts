import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { createSupervisor } from "../platform/supervisor.ts";
import type { Inbound } from "../ports/message.ts";
import { createMemoryChannel } from "../../test/kit/memory-channel.ts";
import { toService } from "./services.ts";

test("a channel that crashes again and again is alone in that: it is tried with growing pauses, and the others go on (R6)", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const heard: Inbound[] = [];
  const submit = async (inbound: Inbound) => {
    heard.push(inbound);
    return { outcome: "dropped", reason: "test" } as const;
  };
  const [well, ill] = [createMemoryChannel("well"), createMemoryChannel("ill")];
  const tries: number[] = [];
  let isIll = true;
  ill.start = async () => {
    tries.push(clock.monotonic());
    if (isIll) throw new Error("crashed");
  };
  await Promise.all([well, ill].map((channel) => supervisor.start([toService(channel, submit)])));
  for (let minute = 1; minute <= 10; minute += 1) {
    await clock.advance(60_000);
    await well.receive({ eventId: String(minute), chatId: "7", text: "hello" });
    const states = Object.fromEntries(supervisor.states().map(({ name, state }) => [name, state.state]));
    assert.deepEqual(states, { "channel well": "running", "channel ill": "degraded" });
  }
  assert.equal(heard.length, 10);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  assert.ok(pauses.length >= 10 && pauses.length <= 30, String(pauses));
  assert.ok((pauses[0] ?? 0) < 2_000 && (pauses.at(-1) ?? 0) > 40_000, String(pauses));
  isIll = false;
  await clock.advance(80_000);
  assert.ok(supervisor.states().every(({ state }) => state.state === "running"));
  await supervisor.stop(AbortSignal.timeout(1_000));
});
