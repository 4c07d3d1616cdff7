// Telegram as a channel: a bot for each account, long polling in, sendMessage out. Each has its own poll, token and state, so that
// trouble of one is its own (R6).

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { defaultAccount, toAccountId } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import { botsOf, placeOf, settingsOf } from "../../config/accounts.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Channel } from "../../ports/channel.ts";
import { createAccount, type Account } from "./account.ts";
import { longestText, type TelegramSettings } from "./settings.ts";
import { parseTarget } from "./target.ts";
import { defaultTiming, type PollTiming } from "./timing.ts";
import { findToken } from "./token.ts";

export interface TelegramDependencies {
  /** Called whenever it matters, so that a changed config counts. */
  readonly settings: () => TelegramSettings | undefined;
  /** The default account's alone. */
  readonly tokenFromEnv: () => string | undefined;
  readonly readFile: (path: string) => Promise<string | undefined>;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatusChange?: () => void;
  /** Takes keys out of the config file; tells whether it had any of them. */
  readonly unsetKeys: (paths: readonly (readonly string[])[]) => Promise<boolean>;
  /** Absent: the defaults. */
  readonly timing?: PollTiming;
}

/** The config has a section for it, or the environment a token. */
export const isSetUp = ({ settings, tokenFromEnv }: Pick<TelegramDependencies, "settings" | "tokenFromEnv">): boolean =>
  settings() !== undefined || Boolean(tokenFromEnv()?.trim());

/** Messages for an account that has gone from the config are looked at again after this long. */
const goneRetryMs = 60_000;

export function createTelegram(dependencies: TelegramDependencies): Channel {
  const { settings } = dependencies;
  const accounts = new Map<string, Account>();
  /** The config without their token is taken up: a token elsewhere is none to go on with now. */
  const leaving = new Set<string>();

  const ids = () => botsOf(settings(), dependencies.tokenFromEnv());
  const settingsOfBot = (id: string) => {
    const section = settings();
    if (section) return settingsOf(section, id);
    // the environment alone sets the default account up
    return id === defaultAccount && isSetUp(dependencies) ? { enabled: true, allowFrom: [] } : undefined;
  };
  const accountOf = (id: string): Account => {
    const known = accounts.get(id);
    if (known) return known;
    const made = createAccount({
      ...dependencies,
      id,
      settings: () => (ids().includes(id) ? settingsOfBot(id) : undefined),
      findToken: () => findToken(id, dependencies),
      log: id === defaultAccount ? dependencies.log : dependencies.log.child(`channels/telegram/${id}`),
      onStatusChange: () => dependencies.onStatusChange?.(),
      timing: dependencies.timing ?? defaultTiming,
    });
    accounts.set(id, made);
    return made;
  };
  /** A token that one account has given up another may have been waiting for, and the other way round. */
  const tellOthers = async (changed: readonly string[], step: "giveWay" | "takeOver") => {
    const others = [...accounts].filter(([id]) => !changed.includes(id));
    await Promise.all(others.map(([, account]) => account[step]()));
  };

  return {
    id: "telegram",
    label: "Telegram",
    isLinkable: false,
    accounts: ids,
    textLimit: (account) => Math.min(settingsOfBot(account)?.textChunkLimit ?? longestText, longestText),
    allowFromHint: "channels.telegram.allowFrom takes numeric Telegram user ids",

    async start(submit, account) {
      const chosen = (account === undefined ? ids() : [account]).filter((id) => !leaving.has(id));
      await tellOthers(chosen, "giveWay");
      await Promise.all(chosen.map((id) => accountOf(id).start(submit)));
      await tellOthers(chosen, "takeOver");
    },
    async stop(deadline, account) {
      const chosen = account === undefined ? [...accounts.keys()] : [account];
      await Promise.all(chosen.map((id) => accounts.get(id)?.stop(deadline)));
      const gone = chosen.filter((id) => !ids().includes(id));
      for (const id of gone) accounts.delete(id);
      if (gone.length > 0) await tellOthers(gone, "takeOver");
    },

    async send(outbound) {
      const { account } = outbound.target;
      if (accounts.has(account) || ids().includes(account)) return accountOf(account).send(outbound);
      return { outcome: "retry", afterMs: goneRetryMs, reason: `Telegram has no account ${account} any more` };
    },
    async typing(target) {
      await accounts.get(target.account)?.typing(target);
    },
    status() {
      const known = ids();
      const leftOver = [...accounts].filter(([id, account]) => !known.includes(id) && account.status().isRunning);
      return [...known, ...leftOver.map(([id]) => id)].map((id) => accountOf(id).status());
    },
    parseTarget(text, account) {
      const known = ids();
      const id = account?.trim() ? toAccountId(account.trim()) : (known[0] ?? defaultAccount);
      if (known.length > 0 && !known.includes(id)) {
        throw new Fault("not_linked", `Telegram has no account "${id}"`, {
          field: "accountId",
          next: `use one of: ${known.join(", ")}`,
        });
      }
      return parseTarget(text, id);
    },

    async logout(account) {
      leaving.add(account);
      const places = [["channels", "telegram"], placeOf("telegram", settings() ?? {}, account)];
      const own = account === defaultAccount ? places : places.slice(1);
      const isCleared = await dependencies
        .unsetKeys(own.map((place) => [...place, "botToken"]))
        .finally(() => leaving.delete(account));
      const token = await accountOf(account).findToken();
      const isInEnvironment = account === defaultAccount && Boolean(dependencies.tokenFromEnv()?.trim());
      return { isCleared, isLoggedOut: !token, isInEnvironment };
    },
    async probe(account, signal) {
      const known = accounts.get(account);
      return known ? known.probe(signal) : { isOk: false, error: "not running", elapsedMs: 0 };
    },
  };
}
