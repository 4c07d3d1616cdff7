import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { toAccountId } from "../base/ids.ts";
import { botsOf, placeOf, settingsOf, tokenPlaces, type TelegramSection } from "./accounts.ts";
import { parseConfig } from "./parse.ts";

function section(telegram: object): TelegramSection {
  const parsed = parseConfig(JSON.stringify({ channels: { telegram } }), () => undefined);
  assert.ok("config" in parsed, JSON.stringify(parsed));
  assert.ok(parsed.config.channels.telegram);
  return parsed.config.channels.telegram;
}

test("an id is made of whatever stands there: small letters, runs of anything else are one dash", () => {
  assert.deepEqual(["Work", "My Bot!", "_x_", "--", "", "a/b\\c"].map(toAccountId), [
    "work",
    "my-bot",
    "x_",
    "default",
    "default",
    "a-b-c",
  ]);
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const id = toAccountId(text);
      assert.match(id, /^[a-z0-9][a-z0-9_-]{0,63}$/u);
      assert.equal(toAccountId(id), id);
    }),
  );
});

test("the default account is there with a token, a section of its own, or when there is no other", () => {
  const cases: [object, string | undefined, string[]][] = [
    [{}, undefined, ["default"]],
    [{ accounts: {} }, undefined, ["default"]],
    [{ accounts: { work: {} } }, undefined, ["work"]],
    [{ accounts: { work: {} } }, "1:a", ["default", "work"]],
    [{ accounts: { work: {} } }, "  ", ["work"]],
    [{ accounts: { work: { botToken: "1:a" } } }, "1:a", ["work"]],
    [{ apiRoot: "http://one", accounts: { work: { botToken: "2:b" } } }, "1:a", ["default", "work"]],
    [{ botToken: "1:a", accounts: { Work: {}, home: {} } }, undefined, ["default", "work", "home"]],
    [{ accounts: { work: {}, Default: {} } }, undefined, ["default", "work"]],
  ];
  for (const [telegram, fromEnv, expected] of cases)
    assert.deepEqual(botsOf(section(telegram), fromEnv), expected, JSON.stringify(telegram));
  assert.deepEqual([botsOf(undefined, undefined), botsOf(undefined, "1:a")], [[], ["default"]]);
});

test("what an account does not say the channel says, but for what is one account's alone", () => {
  const all = section({
    name: "First",
    botToken: "1:a",
    dmPolicy: "allowlist",
    allowFrom: [1],
    apiRoot: "http://one",
    accounts: {
      work: { botToken: "2:b", allowFrom: [2], groups: { "-1": {} } },
      off: { enabled: false },
      default: { allowFrom: [3] },
    },
  });
  assert.deepEqual(settingsOf(all, "work"), {
    enabled: true,
    botToken: "2:b",
    dmPolicy: "allowlist",
    allowFrom: [2],
    apiRoot: "http://one",
    groups: { "-1": {} },
  });
  assert.partialDeepStrictEqual(settingsOf(all, "default"), { name: "First", botToken: "1:a", allowFrom: [3] });
  assert.partialDeepStrictEqual(settingsOf(all, "off"), { enabled: false, allowFrom: [1] });
  assert.equal(settingsOf({ ...all, enabled: false }, "work").enabled, false);
});

test("a token is looked for in the account, at the top of the channel and in the environment, for others than the default one in the account alone", () => {
  const all = section({
    botToken: "1:a",
    tokenFile: "/one",
    accounts: { Work: { tokenFile: "/two" }, default: { botToken: "3:c" }, bare: { botToken: " " } },
  });
  const names = (id: string) => tokenPlaces(all, id, "4:d").map(({ name, kind, value }) => `${name} ${kind} ${value}`);
  assert.deepEqual(names("default"), [
    "channels.telegram.accounts.default.botToken token 3:c",
    "channels.telegram.botToken token 1:a",
    "channels.telegram.tokenFile file /one",
    "TELEGRAM_BOT_TOKEN token 4:d",
  ]);
  assert.deepEqual(names("work"), ["channels.telegram.accounts.Work.tokenFile file /two"]);
  assert.deepEqual([names("bare"), names("nobody")], [[], []]);
  assert.deepEqual(
    tokenPlaces(undefined, "default", "4:d").map(({ name }) => name),
    ["TELEGRAM_BOT_TOKEN"],
  );
});

test("an account's place is where the file has it, and beside the others when it is new", () => {
  const all = section({ accounts: { Work: {} } });
  assert.deepEqual(placeOf("telegram", all, "work"), ["channels", "telegram", "accounts", "Work"]);
  assert.deepEqual(placeOf("telegram", all, "home"), ["channels", "telegram", "accounts", "home"]);
  assert.deepEqual(placeOf("telegram", all, "default"), ["channels", "telegram"]);
});
