// Which channel and account a command is about, and what this version can do with it.

import { Fault } from "../../base/fault.ts";
import { toAccountId } from "../../base/ids.ts";
import type { Invocation } from "../commands.ts";
import { textOf } from "../setup/open.ts";

/** Of the argument, or of `--channel`; undefined when neither is there. @throws Fault for a channel that is not to be had. */
export function readChannel(invocation: Invocation): "telegram" | undefined {
  const id = (invocation.args[0] ?? textOf(invocation, "channel"))?.trim().toLowerCase();
  if (id === undefined || id === "telegram") return id;
  const isLater = id === "whatsapp";
  throw new Fault("unsupported_channel", isLater ? "WhatsApp is not in this version yet" : `no such channel: ${id}`, {
    field: "--channel",
    next: "use telegram",
  });
}

/** @throws Fault `usage` when no channel is named. */
export function requireChannel(invocation: Invocation): "telegram" {
  const channel = readChannel(invocation);
  if (channel) return channel;
  throw new Fault("usage", "which channel?", { field: "--channel", next: "pass --channel telegram" });
}

/** Of `--account`; undefined when it is not there. @throws Fault `usage` for what would become another name. */
export function readAccount(invocation: Invocation): string | undefined {
  const text = textOf(invocation, "account")?.trim();
  if (text === undefined) return undefined;
  const id = toAccountId(text);
  if (id === text.toLowerCase()) return id;
  throw new Fault("usage", `not an account: ${JSON.stringify(text.slice(0, 80))}`, {
    field: "--account",
    next: "use letters, digits, - and _, such as work",
  });
}

/**
 * The account that is named, or the first one.
 * @throws Fault `not_found` for one that is not set up, naming those that are.
 */
export function chooseAccount(invocation: Invocation, known: readonly string[]): string | undefined {
  const asked = readAccount(invocation);
  if (asked === undefined || known.includes(asked)) return asked ?? known[0];
  throw new Fault("not_found", `no account ${asked} is set up`, {
    field: "--account",
    next: known.length === 0 ? "channels add sets one up" : `use one of: ${known.join(", ")}`,
  });
}
