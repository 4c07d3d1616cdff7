// Which channel a command is about, and what this version can do with it.

import { Fault } from "../../base/fault.ts";
import type { Invocation } from "../commands.ts";
import { textOf } from "../setup/open.ts";

/** Of the argument, or of `--channel`; undefined when neither is there. @throws Fault for a channel or account that is not to be had. */
export function readChannel(invocation: Invocation): "telegram" | undefined {
  const account = textOf(invocation, "account");
  if (account !== undefined && account !== "default")
    throw new Fault("not_found", `no account ${account}: this version connects one bot, called default`, {
      field: "--account",
      next: "leave --account out",
    });
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
