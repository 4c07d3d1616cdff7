// `pairing list`: works on the database, whether or not the Gateway runs.

import { createPairing } from "../../conversation/pairing.ts";
import type { Run } from "../commands.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { withDatabase } from "./database.ts";

export const run: Run = async (context, { args }) => {
  const channel = args[0]?.toLowerCase();
  const requests = await withDatabase(context, (database) =>
    createPairing({ database, clock: context.clock }).list(channel),
  );
  if (context.flags.json) context.out.json({ channel: channel ?? null, requests });
  else if (requests.length === 0) context.out.line("Nobody is waiting.");
  else {
    const now = context.clock.now();
    const rows = requests.map((request) => [
      request.channel,
      request.account,
      request.code,
      request.senderId,
      request.senderName ?? "",
      renderAge(now - request.createdAt),
    ]);
    context.out.line(renderTable([["CHANNEL", "ACCOUNT", "CODE", "ID", "NAME", "ASKED"], ...rows]));
    context.out.line(`next: ${context.command("pairing approve <channel> <code>")}`);
  }
  return 0;
};
