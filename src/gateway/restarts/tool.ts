// The agent's `gateway` tool: it looks at the config, changes what is open to agents, and asks for a restart. For the owner's turns
// alone (S11); a restart comes after the reply (R15).

import { Fault } from "../../base/fault.ts";
import type { JsonObject } from "../../base/json.ts";
import { checkModelChange } from "../../config/model-keys.ts";
import type { Author, ConfigEditor } from "../../config/methods.ts";
import type { Asker } from "../../config/take-up.ts";
import type { MethodResult } from "../../protocol/contract.ts";
import type { Tool, ToolContext } from "../../ports/tool.ts";
import { shorten } from "./sentinel.ts";
import type { Restarts } from "./restarts.ts";

export interface GatewayToolDependencies {
  readonly editor: () => ConfigEditor;
  readonly restarts: Pick<Restarts, "ask">;
  /** `commands.restart` of the config. */
  readonly mayRestart: () => boolean;
}

const defaultDelayMs = 2_000;
const maxDelayMs = 60_000;

const parameters: JsonObject = {
  type: "object",
  properties: {
    action: {
      type: "string",
      enum: ["restart", "config.get", "config.schema", "config.patch", "config.apply", "update.run"],
      description: "What to do.",
    },
    delayMs: { type: "integer", minimum: 0, description: "restart: time before it, at most 60000 (default 2000)." },
    restartDelayMs: { type: "integer", minimum: 0, description: "config.patch, config.apply, update.run: the same." },
    reason: { type: "string", maxLength: 2_000, description: "restart: why, in a few words." },
    note: { type: "string", maxLength: 2_000, description: "What to tell the person once the Gateway is back." },
    sessionKey: { type: "string", description: "This conversation; it may be left out." },
    raw: { type: "string", description: "config.patch: a JSON5 object to merge; config.apply: the whole file." },
    baseHash: { type: "string", description: "`hash` of the config.get that the change was made from." },
    timeoutMs: { type: "integer", minimum: 1, description: "update.run: its time limit." },
  },
  required: ["action"],
  additionalProperties: false,
};

interface Params {
  readonly action: string;
  readonly delayMs?: number;
  readonly restartDelayMs?: number;
  readonly reason?: string;
  readonly note?: string;
  readonly sessionKey?: string;
  readonly raw?: string;
  readonly baseHash?: string;
}

export function createGatewayTool(dependencies: GatewayToolDependencies): Tool {
  return {
    name: "gateway",
    description:
      "Manages the Gateway that you run in: restarts it, shows its config and the schema of that, changes the keys that are open to you. A restart comes after your reply has been delivered; say so, and end your turn.",
    parameters,
    effect: "write",
    isForOwner: true,
    async run(given, context) {
      // checked against the schema above
      const params = given as unknown as Params;
      checkSession(params, context);
      return JSON.stringify(await act(params, context, dependencies));
    },
  };
}

async function act(params: Params, context: ToolContext, dependencies: GatewayToolDependencies): Promise<unknown> {
  const { editor } = dependencies;
  switch (params.action) {
    case "restart":
      return restart(params, context, dependencies);
    case "config.get": {
      const { path, hash, valid, issues, raw, config } = await editor().get();
      return { path, hash, valid, issues, raw, config };
    }
    case "config.schema":
      return (await editor().schema()).schema;
    case "config.patch":
      return inShort(await editor().patch(toChange(params), toAuthor(params, context)));
    case "config.apply":
      return inShort(await editor().apply(toChange(params), toAuthor(params, context)));
    default:
      throw new Fault("not_found", "this Gateway does not update itself", {
        field: "action",
        next: "ask the owner to install the new version and then to run gateway install --force and gateway restart",
      });
  }
}

/** Without the config: the agent knows what it has written. */
function inShort({ config: _config, ...rest }: MethodResult<"config.patch">): object {
  return rest;
}

async function restart(
  { reason, delayMs = defaultDelayMs, ...params }: Params,
  context: ToolContext,
  { restarts, mayRestart }: GatewayToolDependencies,
): Promise<unknown> {
  if (!mayRestart()) {
    throw new Fault("forbidden", "restarts by the agent are switched off", {
      field: "commands.restart",
      next: "ask the owner to set commands.restart to true",
    });
  }
  const answer = await restarts.ask({
    reason: shorten(reason ?? "") || "the agent asked for it",
    delayMs: Math.min(delayMs, maxDelayMs),
    asker: toAsker("restart", params, context),
  });
  return { ...answer, next: "it comes after this turn's reply has been delivered: reply now" };
}

/** Nobody is told of what happens in another conversation (S13). */
function checkSession({ sessionKey }: Params, context: ToolContext): void {
  const key = sessionKey?.trim().toLowerCase();
  if (!key || key === context.sessionKey || context.sessionKey.endsWith(`:${key}`)) return;
  throw new Fault("invalid_params", "sessionKey is not this conversation's", {
    field: "sessionKey",
    next: "leave it out",
  });
}

function toAsker(kind: Asker["kind"], { note }: Pick<Params, "note">, context: ToolContext): Asker {
  const { sessionKey, runId, effectKey } = context;
  return { kind, sessionKey, runId, effectKey, ...(note ? { note } : {}) };
}

const toAuthor = (params: Params, context: ToolContext): Author => ({
  check: checkModelChange,
  asker: toAsker("config-apply", params, context),
});

function toChange({ raw, baseHash, note, restartDelayMs }: Params) {
  if (!raw?.trim()) throw new Fault("invalid_params", "raw is missing", { field: "raw", next: "send a JSON5 object" });
  return {
    raw,
    ...(baseHash ? { baseHash } : {}),
    ...(note ? { note } : {}),
    ...(restartDelayMs === undefined ? {} : { restartDelayMs }),
  };
}
