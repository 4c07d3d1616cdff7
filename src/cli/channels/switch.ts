// `channels start|stop|logout`: the running Gateway does it.

import type { GatewayClient } from "../../client/connect.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";

interface Params {
  readonly channel: string;
  readonly accountId?: string;
}

interface Told {
  readonly result: { readonly channel: string; readonly accountId: string };
  readonly words: string;
  readonly isDone: boolean;
}

type Ask = (client: GatewayClient, params: Params, options: { timeoutMs: number }) => Promise<Told>;

const createRun =
  (ask: Ask): Run =>
  async (context, { args, options }) => {
    const { out, flags } = context;
    const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
    const account = options["account"] as string | undefined;
    const params = { channel: args[0] ?? "", ...(account === undefined ? {} : { accountId: account }) };
    const opening = { scopes: ["operator.admin"], timeoutMs };
    const { result, words, isDone } = await withClient(context, opening, (client) =>
      ask(client, params, { timeoutMs }),
    );
    if (flags.json) out.json(result);
    else out.line(`${result.channel} ${result.accountId}: ${words}`);
    return isDone ? 0 : 1;
  };

export const start = createRun(async (client, params, options) => {
  const result = await client.call("channels.start", params, options);
  const words = result.started ? "started" : "it did not start; see channels status";
  return { result, words, isDone: result.started };
});

export const stop = createRun(async (client, params, options) => {
  const result = await client.call("channels.stop", params, options);
  return { result, words: result.stopped ? "stopped" : "it did not stop in time", isDone: result.stopped };
});

export const logout = createRun(async (client, params, options) => {
  const result = await client.call("channels.logout", params, options);
  const forgotten = result.cleared ? "the token was taken out of the config" : "the config held no token";
  const left = result.envToken ? "; the environment still holds one" : "; a token file still holds one";
  return { result, words: `stopped; ${forgotten}${result.loggedOut ? "" : left}`, isDone: result.loggedOut };
});
