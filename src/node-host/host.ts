// Takes the Gateway's commands and answers each once. The same key is the same command: it is not done twice.

import { Fault, renderFault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isRecord, parseJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { SteadyClient } from "../client/reconnect.ts";
import type { Command } from "./commands.ts";

export interface NodeHostDependencies {
  readonly client: Pick<SteadyClient, "callAny">;
  readonly commands: Readonly<Record<string, Command>>;
  readonly ids: Ids;
  readonly log: Log;
}

export interface NodeHost {
  /** A command as it came; what is none is left alone. Never throws. */
  take(request: unknown): void;
  /** Ends what runs; nothing is taken any more. Resolves when all of it has ended. */
  stop(): Promise<void>;
}

/** Commands at once; further ones are refused, not queued: their caller's time runs already. */
const maxRunning = 16;
/** Answers remembered by key. */
const maxRemembered = 50;
const answerTimeoutMs = 15_000;

interface Invoke {
  readonly id: string;
  readonly nodeId: string;
  readonly command: string;
  readonly paramsJson: string | undefined;
  readonly timeoutMs: number;
  readonly key: string | undefined;
}

type Result =
  | { readonly ok: true; readonly payloadJSON: string }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

export function createNodeHost({ client, commands, ids, log }: NodeHostDependencies): NodeHost {
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const remembered = new Map<string, Promise<Result>>();

  const perform = async (invoke: Invoke): Promise<Result> => {
    try {
      if (stopping.signal.aborted) throw new Fault("shutting_down", "the node is stopping");
      if (running.size >= maxRunning) throw new Fault("overloaded", `the node runs ${maxRunning} commands already`);
      const payload = await callCommand(invoke, { commands, signal: stopping.signal });
      return { ok: true, payloadJSON: JSON.stringify(payload ?? null) };
    } catch (error) {
      return { ok: false, error: toError(error, { ids, log, command: invoke.command }) };
    }
  };
  const performOnce = (invoke: Invoke): Promise<Result> => {
    if (invoke.key === undefined) return perform(invoke);
    // keys are their callers' own words: another command under the same one is another
    const name = JSON.stringify([invoke.key, invoke.command, invoke.paramsJson]);
    const result = remembered.get(name) ?? perform(invoke);
    remembered.delete(name);
    remembered.set(name, result);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= maxRemembered) break;
      remembered.delete(oldest);
    }
    return result;
  };
  const answer = async (invoke: Invoke) => {
    const result = await performOnce(invoke);
    const params = { id: invoke.id, nodeId: invoke.nodeId, ...result };
    await client.callAny("node.invoke.result", params, { timeoutMs: answerTimeoutMs });
  };

  return {
    take(request) {
      const invoke = parseInvoke(request);
      if (!invoke) return;
      log.info("command", { command: invoke.command, id: invoke.id });
      const done = answer(invoke).catch((error: unknown) =>
        // the Gateway told its caller already that this node went away
        log.warn("an answer did not reach the Gateway", { command: invoke.command, error }),
      );
      running.add(done);
      void done.finally(() => running.delete(done));
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function callCommand(
  { command, paramsJson, timeoutMs }: Invoke,
  { commands, signal }: { commands: NodeHostDependencies["commands"]; signal: AbortSignal },
): Promise<unknown> {
  const handler = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!handler) throw new Fault("not_found", `command not supported: ${command.slice(0, 100)}`);
  const params = paramsJson === undefined ? {} : parseJson(paramsJson);
  if (params === undefined) throw new Fault("invalid_params", "the command's params are not JSON");
  return handler({ params, timeoutMs, signal });
}

function parseInvoke(request: unknown): Invoke | undefined {
  if (!isRecord(request)) return undefined;
  const { id, nodeId, command, paramsJSON, timeoutMs, idempotencyKey } = request;
  if (typeof id !== "string" || typeof nodeId !== "string" || typeof command !== "string") return undefined;
  return {
    id,
    nodeId,
    command,
    paramsJson: typeof paramsJSON === "string" ? paramsJSON : undefined,
    timeoutMs: typeof timeoutMs === "number" && timeoutMs > 0 ? timeoutMs : 0,
    key: typeof idempotencyKey === "string" ? idempotencyKey : undefined,
  };
}

/** Faults are for the caller; anything else is a bug here, and its text stays in the log. */
function toError(error: unknown, { ids, log, command }: { ids: Ids; log: Log; command: string }) {
  if (error instanceof Fault) {
    const code = error.code === "invalid_params" ? "INVALID_REQUEST" : "UNAVAILABLE";
    return { code, message: renderFault(error).slice(0, 4_000) };
  }
  const reportId = ids.secret(4);
  log.error("a command broke", { command, reportId, error });
  return { code: "UNAVAILABLE", message: `internal error ${reportId} in ${command}` };
}
