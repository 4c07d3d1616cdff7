// `pairing approve`: counts from the sender's next message on, without a restart.

import { defaultAccount } from "../../base/ids.ts";
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
  const { account, senderId, senderName } = request;
  if (context.flags.json) context.out.json({ channel: request.channel, accountId: account, senderId, approved: true });
  else {
    const where = account === defaultAccount ? request.channel : `${request.channel}, account ${account}`;
    context.out.line(`${cleanText(senderName ?? senderId)} may now write on ${where}.`);
  }
  return 0;
};
