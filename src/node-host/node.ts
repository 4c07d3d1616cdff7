// This machine as a node: the connection that stays up, and what it offers over it.

import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { keepConnected, type SteadyClient, type SteadyOptions } from "../client/reconnect.ts";
import { createExecApprovalsStore } from "../config/exec-approvals.ts";
import { createRunProcess, findProgram } from "../platform/process.ts";
import { createCommands } from "./commands.ts";
import { createNodeHost } from "./host.ts";
import { createSystemRun } from "./system-run.ts";

export interface NodeOptions {
  /** Where, with which secret and as which device. */
  readonly connection: Pick<SteadyOptions, "url" | "openSocket" | "auth" | "device" | "plainHosts">;
  readonly client: Pick<SteadyOptions["client"], "version" | "displayName" | "instanceId">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** A variable of this process. */
  readonly variable: (name: string) => string | undefined;
  readonly home: string;
  /** File of commands that may run without asking. */
  readonly execApprovalsPath: string;
}

export interface Node {
  readonly client: SteadyClient;
  /** Ends what runs, then the connection. */
  stop(): Promise<void>;
}

const families: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: "Mac",
  win32: "Windows",
  linux: "Linux",
};

export function startNode(options: NodeOptions): Node {
  const { clock, ids, log, variable, home } = options;
  const { platform } = process;
  const path = variable("PATH") ?? "";
  const endings = variable("PATHEXT");
  const approvals = createExecApprovalsStore(options.execApprovalsPath);
  const runProcess = createRunProcess(clock);
  const find = (name: string, cwd: string) => findProgram(name, { path, cwd, ...(endings ? { endings } : {}) });
  const tell = (event: string, payload: object) => {
    const params = { event, payloadJSON: JSON.stringify(payload) };
    client.callAny("node.event", params, { timeoutMs: 10_000 }).catch((error: unknown) => {
      log.debug("an event did not reach the Gateway", { event, error });
    });
  };
  const systemRun = createSystemRun({ approvals, runProcess, findProgram: find, variable, home, ids, tell });
  const commands = createCommands({ systemRun, approvals, runProcess, findProgram: find, variable, platform, home });

  const client = keepConnected({
    ...options.connection,
    role: "node",
    scopes: [],
    caps: ["system"],
    commands: Object.keys(commands),
    pathEnv: path,
    client: {
      id: "node-host",
      mode: "node",
      platform,
      ...(families[platform] ? { deviceFamily: families[platform] } : {}),
      ...options.client,
    },
    newId: () => ids.uuid(),
    clock,
    timeoutMs: 15_000,
  });
  const host = createNodeHost({ client, commands, ids, log });
  client.on("node.invoke.request", host.take);
  return {
    client,
    async stop() {
      await host.stop();
      client.close();
    },
  };
}
