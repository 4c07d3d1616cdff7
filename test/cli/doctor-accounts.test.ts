// `doctor` looks at every Telegram account: its token, whether it is its own, and whom it lets in.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createDoctorHome, type DoctorHome } from "../kit/doctor-home.ts";

let machine: DoctorHome;
before(async () => {
  machine = await createDoctorHome();
});
after(() => machine.dispose());

async function found(telegram: object, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  await machine.put(machine.config, JSON.stringify({ gateway: { mode: "local" }, channels: { telegram } }));
  const { findings } = await machine.doctor([], env);
  assert.doesNotMatch(JSON.stringify(findings), /secret-part/u);
  return findings.flatMap(({ id, message, next }) =>
    id.startsWith("channels.") ? [`${id}: ${message}; ${next}`] : [],
  );
}

test("each account needs a bot of its own; what the channel says for all is told once (OV-51)", async () => {
  const file = join(machine.home, "token");
  await machine.put(file, "1:secret-part\n");
  const lines = await found({
    botToken: "1:secret-part",
    dmPolicy: "open",
    allowFrom: ["*", "@ann"],
    accounts: {
      same: { botToken: "1:secret-part" },
      file: { tokenFile: file },
      lost: { tokenFile: "/nowhere/token", dmPolicy: "allowlist", allowFrom: ["@bob"] },
      bare: {},
      off: { enabled: false },
      wide: { botToken: "2:secret-part", groupPolicy: "open" },
    },
  });
  const told = (id: string) => lines.filter((line) => line.startsWith(`channels.${id}: `));
  const mine = "give each account a bot of its own (@BotFather makes them), or take one of the two out of the config";
  assert.deepEqual(told("same-bot"), [
    `channels.same-bot: channels.telegram.accounts.same.botToken and channels.telegram.botToken are the token of one bot: account same does not run; ${mine}`,
    `channels.same-bot: channels.telegram.accounts.file.tokenFile and channels.telegram.botToken are the token of one bot: account file does not run; ${mine}`,
  ]);
  assert.deepEqual(told("no-token"), [
    "channels.no-token: Telegram account bare has no bot token; openclaw channels add --channel telegram --account bare --token -",
  ]);
  assert.match(
    told("token-file").join("\n"),
    /^\S+ channels\.telegram\.accounts\.lost\.tokenFile cannot be read: \/nowhere\/token;/u,
  );
  assert.deepEqual(
    [told("open"), told("open-groups"), told("names")].map((list) => list.map((line) => line.split(" ")[1])),
    [
      ["channels.telegram.dmPolicy"],
      ["channels.telegram.accounts.wide.groupPolicy"],
      ["channels.telegram.allowFrom", "channels.telegram.accounts.lost.allowFrom"],
    ],
  );
});

test("accounts that are in order, and one that the environment sets up beside them, are nothing to tell", async () => {
  const env = { TELEGRAM_BOT_TOKEN: "1:secret-part" };
  assert.deepEqual(await found({ accounts: { work: { botToken: "2:secret-part" } } }, env), []);
  // by the variable's name, most likely: it is that account's then
  assert.deepEqual(await found({ accounts: { work: { botToken: "1:secret-part" } } }, env), []);
  const same = await found({ accounts: { work: { botToken: "1:secret-part" }, default: {} } }, env);
  assert.match(same.join("\n"), /accounts\.work\.botToken and TELEGRAM_BOT_TOKEN are the token of one bot/u);
});
