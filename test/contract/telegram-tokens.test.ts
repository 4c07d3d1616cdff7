// Whatever is edited, in whichever order: a bot is run by one account, the first that has its token and is switched on.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { TelegramSettings } from "../../src/channels/telegram/settings.ts";
import { decideDisturbance } from "../../src/config/effects.ts";
import { listChanges } from "../../src/config/merge.ts";
import { createChannelServices } from "../../src/gateway/channel-services.ts";
import { createEgress } from "../../src/platform/egress.ts";
import { createSupervisor } from "../../src/platform/supervisor.ts";
import { createBareTelegram } from "../kit/telegram-channel.ts";
import { startFakeTelegram } from "../kit/telegram-server.ts";

const names = ["default", "work", "home"] as const;

interface Edit {
  readonly token?: string;
  readonly enabled: boolean;
  readonly isThere: boolean;
}

const account = fc.record(
  {
    token: fc.constantFrom("1:a", "2:b", "3:c"),
    enabled: fc.constantFrom(true, true, true, false),
    isThere: fc.boolean(),
  },
  { requiredKeys: ["enabled", "isThere"] },
);
const configs = fc.array(fc.tuple(account, account, account), { minLength: 2, maxLength: 6 });

function toSettings(edits: readonly Edit[], apiRoot: string): TelegramSettings {
  const accounts = edits.flatMap(({ isThere, enabled, token }, index) =>
    isThere ? [[names[index] ?? "", { enabled, ...(token ? { botToken: token } : {}) }] as const] : [],
  );
  return { enabled: true, allowFrom: [], apiRoot, accounts: Object.fromEntries(accounts) };
}

/** Who runs with which token. */
function expected(edits: readonly Edit[]): string[] {
  const on = edits.flatMap(({ isThere, enabled, token }, index) =>
    isThere && enabled && token ? [{ name: names[index], token }] : [],
  );
  return on
    .filter(({ token }, index) => on.findIndex((other) => other.token === token) === index)
    .map(({ name, token }) => `${name} ${token}`);
}

test("each bot is run by the first account that has its token, whatever was there before", async () => {
  const fake = await startFakeTelegram();
  const egress = createEgress({ clock: systemClock });
  try {
    await fc.assert(
      fc.asyncProperty(configs, async ([first = [], ...later]) => {
        let settings = toSettings(first, fake.apiRoot);
        const channel = createBareTelegram({ settings: () => settings, fetch: egress.fetch });
        const supervisor = createSupervisor({ clock: systemClock, log: silentLog });
        const submit = async () => ({ outcome: "dropped", reason: "test" }) as const;
        const services = createChannelServices({ clock: systemClock, channels: [channel], submit, supervisor });
        const running = () =>
          channel.status().flatMap(({ accountId, isRunning }) => {
            const token = settings.accounts?.[accountId]?.botToken;
            return isRunning ? [`${accountId} ${token}`] : [];
          });
        await Promise.all(services.all().map((service) => supervisor.start([service])));
        assert.deepEqual(running(), expected(first));
        for (const edits of later) {
          const before = settings;
          settings = toSettings(edits, fake.apiRoot);
          const changes = listChanges({ channels: { telegram: before } }, { channels: { telegram: settings } });
          for (const disturbed of decideDisturbance(changes).channels) await services.follow(disturbed);
          assert.deepEqual(running(), expected(edits), JSON.stringify(edits));
        }
        await supervisor.stop(AbortSignal.timeout(2_000));
      }),
      { numRuns: 60 },
    );
  } finally {
    egress.close();
    await fake.close();
  }
});
