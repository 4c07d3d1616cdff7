import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startFakeTelegram, type FakeTelegram } from "../../test/kit/telegram-server.ts";
import { systemClock } from "../base/clock.ts";
import { createEgress } from "../platform/egress.ts";
import { checkTelegram } from "./telegram-check.ts";

const egress = createEgress({ clock: systemClock });
let telegram: FakeTelegram;
before(async () => {
  telegram = await startFakeTelegram();
});
after(async () => {
  await telegram.close();
  egress.close();
});

const check = (token: string, apiRoot = telegram.apiRoot) =>
  checkTelegram(token, { fetch: egress.fetch, clock: systemClock, apiRoot });

test("getMe tells whose token it is, and nothing else is called", async () => {
  assert.deepEqual(await check(telegram.token), { isOk: true, who: "@the_bot" });
  assert.deepEqual(
    telegram.calls.map(({ method }) => method),
    ["getMe"],
  );
});

test("a refused token, a server in trouble and no server are told apart; the token is in none of it (S41)", async () => {
  const told = async (react: FakeTelegram["react"], apiRoot?: string) => {
    telegram.react = react;
    const result = await check(telegram.token, apiRoot);
    assert.ok(!result.isOk);
    assert.doesNotMatch(JSON.stringify(result), /AAAA/u);
    return result.reason;
  };
  const refuse = (error_code: number, description: string) => () => ({ error: { error_code, description } });
  assert.equal(await told(refuse(401, "Unauthorized")), "Telegram refuses the token (Unauthorized)");
  assert.match(await told(refuse(500, "Internal")), /^Telegram cannot be asked \(Internal\)$/u);
  assert.match(await told(() => undefined, "http://127.0.0.1:9"), /ECONNREFUSED/u);
});

test("what cannot be a token is not sent anywhere", async () => {
  telegram.calls.length = 0;
  for (const text of ["", "hello", "123456:", "../admin:x", "1:a b", "1:a/../../x"]) {
    assert.partialDeepStrictEqual(await check(text), { isOk: false, reason: "this is no bot token" });
  }
  assert.deepEqual(telegram.calls, []);
});
