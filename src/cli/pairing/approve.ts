// `pairing approve`: counts from the sender's next message on, without a restart.

import { createPairing } from "../../conversation/pairing.ts";
import type { Run } from "../commands.ts";
import { cleanText } from "../render/text.ts";
import { withDatabase } from "./database.ts";

export const run: Run = async (context, { args, options }) => {
  const [channel = "", code = ""] = args;
  const request = await withDatabase(context, (database) =>
    createPairing({ database, clock: context.clock }).approve({
      channel: channel.toLowerCase(),
      code,
      isNotify: options["notify"] === true,
    }),
  );
  if (context.flags.json) context.out.json({ channel: request.channel, senderId: request.senderId, approved: true });
  else context.out.line(`${cleanText(request.senderName ?? request.senderId)} may now write on ${request.channel}.`);
  return 0;
};
