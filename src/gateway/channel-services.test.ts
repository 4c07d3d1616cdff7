import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { createSupervisor } from "../platform/supervisor.ts";
import type { Inbound } from "../ports/message.ts";
import { createMemoryChannel } from "../../test/kit/memory-channel.ts";
import { createChannelServices } from "./channel-services.ts";

function setUp(ids: readonly string[]) {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const heard: Inbound[] = [];
  const submit = async (inbound: Inbound) => {
    heard.push(inbound);
    return { outcome: "dropped", reason: "test" } as const;
  };
  const channel = createMemoryChannel("memory", ids);
  const services = createChannelServices({ clock, channels: [channel], submit, supervisor });
  const states = () => Object.fromEntries(supervisor.states().map(({ name, state }) => [name, state.state]));
  return { clock, supervisor, heard, channel, services, states };
}

test("an account that crashes again and again is alone in that: it is tried with growing pauses, and the others of its channel go on (R6)", async () => {
  const { clock, supervisor, heard, channel, services, states } = setUp(["well", "ill"]);
  const tries: number[] = [];
  let isIll = true;
  const { start } = channel;
  channel.start = async (to, account) => {
    if (account !== "ill") return start.call(channel, to, account);
    tries.push(clock.monotonic());
    if (isIll) throw new Error("crashed");
  };
  await Promise.all(services.all().map((service) => supervisor.start([service])));
  for (let minute = 1; minute <= 10; minute += 1) {
    await clock.advance(60_000);
    await channel.receive({ account: "well", eventId: String(minute), chatId: "7", text: "hello" });
    assert.deepEqual(states(), { "channel memory:well": "running", "channel memory:ill": "degraded" });
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

test("accounts come and go with the config, and those that were not disturbed are left alone", async () => {
  const { supervisor, channel, services, states } = setUp(["default", "work"]);
  const done: string[] = [];
  const { start, stop } = channel;
  channel.start = async (to, account) => {
    done.push(`start ${account}`);
    await start.call(channel, to, account);
  };
  channel.stop = async (deadline, account) => {
    done.push(`stop ${account}`);
    await stop.call(channel, deadline, account);
  };
  await services.follow({ id: "memory", accounts: undefined });
  assert.deepEqual(done, [], "nothing before the Gateway starts them");
  await Promise.all(services.all().map((service) => supervisor.start([service])));
  const does = async (accounts: readonly string[] | undefined, ids: readonly string[]) => {
    channel.ids = ids;
    done.length = 0;
    await services.follow({ id: "memory", accounts });
    return [...done];
  };
  assert.deepEqual(await does(["work"], ["default", "work"]), ["stop work", "start work"]);
  assert.deepEqual(await does(["home"], ["default", "work", "home"]), ["start home"]);
  assert.deepEqual(await does(["work"], ["default", "home"]), ["stop work"]);
  assert.deepEqual(Object.keys(states()), ["channel memory:default", "channel memory:home"]);
  assert.throws(() => channel.receive({ account: "work", eventId: "1", chatId: "7", text: "hello" }));
  assert.deepEqual((await does(undefined, ["default", "home"])).toSorted(), [
    "start default",
    "start home",
    "stop default",
    "stop home",
  ]);
  await services.follow({ id: "whatsapp", accounts: undefined });
  await supervisor.stop(AbortSignal.timeout(1_000));
});
