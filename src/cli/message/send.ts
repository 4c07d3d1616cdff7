// `message send`: through the running Gateway only; when it is down this fails at once.

import { Fault } from "../../base/fault.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";

export const run: Run = async (context, { options }) => {
  const text = (name: string) => options[name] as string | undefined;
  const to = text("target");
  const message = text("message");
  if (!to) throw new Fault("usage", "which chat?", { field: "--target", next: "pass --target <chat>" });
  if (!message) throw new Fault("usage", "what should be sent?", { field: "--message", next: "pass --message <text>" });

  const channel = text("channel");
  const accountId = text("account");
  const named = { ...optional("channel", channel), ...optional("accountId", accountId) };
  const rest = { message, ...optional("replyTo", text("replyTo")), ...optional("threadId", text("threadId")) };
  if (options["dryRun"] === true) {
    if (context.flags.json)
      context.out.json({ action: "send", dryRun: true, handledBy: "dry-run", payload: { to, ...rest, ...named } });
    else context.out.line(`would send to ${to}${channel ? ` on ${channel}` : ""}: ${message}`);
    return 0;
  }
  const timeoutMs = parseTimeout(text("timeout"), 45_000);
  const request = { action: "send", ...named, params: { target: to, ...rest }, idempotencyKey: context.ids.uuid() };
  const opening = { scopes: ["operator.write"], timeoutMs: 10_000, needsValidConfig: true };
  const sent = await withClient(context, opening, (client) => client.call("message.action", request, { timeoutMs }));
  if (context.flags.json)
    context.out.json({ action: "send", channel: sent.channel, dryRun: false, handledBy: "core", payload: sent });
  else context.out.line(`sent to ${sent.chatId ?? to} on ${sent.channel} (message ${sent.messageId})`);
  return 0;
};

const optional = (name: string, value: string | undefined) => (value ? { [name]: value } : {});
