// `channels start|stop|logout`: the running Gateway does it.

import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";

type Verb = "start" | "stop" | "logout";

const createRun =
  (verb: Verb): Run =>
  async (context, { args, options }) => {
    const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
    const account = options["account"] as string | undefined;
    const params = { channel: args[0] ?? "", ...(account === undefined ? {} : { accountId: account }) };
    return withClient(context, { scopes: ["operator.admin"], timeoutMs }, async (client) => {
      if (verb === "start") {
        const result = await client.call("channels.start", params, { timeoutMs });
        return tell(
          context,
          result,
          result.started ? "started" : "it did not start; see channels status",
          result.started,
        );
      }
      if (verb === "stop") {
        const result = await client.call("channels.stop", params, { timeoutMs });
        return tell(context, result, result.stopped ? "stopped" : "it did not stop in time", result.stopped);
      }
      const result = await client.call("channels.logout", params, { timeoutMs });
      const forgotten = result.cleared ? "the token was taken out of the config" : "the config held no token";
      const left = result.envToken ? "; the environment still holds one" : "; a token file still holds one";
      return tell(context, result, `stopped; ${forgotten}${result.loggedOut ? "" : left}`, result.loggedOut);
    });
  };

interface Answer {
  readonly channel: string;
  readonly accountId: string;
}

function tell({ out, flags }: Context, result: Answer, words: string, isDone: boolean): number {
  if (flags.json) out.json(result);
  else out.line(`${result.channel} ${result.accountId}: ${words}`);
  return isDone ? 0 : 1;
}

export const start = createRun("start");
export const stop = createRun("stop");
export const logout = createRun("logout");
