// `devices approve|reject|rotate|revoke|remove|rename`: one request each. Ids may be shortened where they stay unique.

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";

type Change = (client: GatewayClient, timeoutMs: number) => Promise<{ result: unknown; text: string }>;

/** Who approves must hold what is asked for: the owner holds all. */
const scopes = ["operator.admin", "operator.pairing"];

async function change(context: Context, { options }: Invocation, task: Change): Promise<number> {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { result, text } = await withClient(context, { scopes, timeoutMs }, (client) => task(client, timeoutMs));
  if (context.flags.json) context.out.json(result);
  else context.out.line(text);
  return 0;
}

export const approve: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const requestId = await findRequest(context, client, { given: invocation.args[0], timeoutMs });
    const result = await client.call("device.pair.approve", { requestId }, { timeoutMs });
    return { result, text: `Approved ${result.device.displayName ?? result.device.deviceId}.` };
  });

export const reject: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const requestId = await findRequest(context, client, { given: invocation.args[0], timeoutMs });
    const result = await client.call("device.pair.reject", { requestId }, { timeoutMs });
    return { result, text: `Rejected ${result.deviceId}.` };
  });

export const rotate: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const { deviceId, role } = await readTarget(context, client, { invocation, timeoutMs });
    const asked = toScopes(invocation.options["scope"]);
    const params = { deviceId, role, ...(asked ? { scopes: asked } : {}) };
    const result = await client.call("device.token.rotate", params, { timeoutMs });
    return { result, text: `New ${role} token of ${deviceId}: ${result.token ?? "(kept from you)"}` };
  });

export const revoke: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const { deviceId, role } = await readTarget(context, client, { invocation, timeoutMs });
    const result = await client.call("device.token.revoke", { deviceId, role }, { timeoutMs });
    return { result, text: `Revoked the ${role} token of ${deviceId}; its connections are closed.` };
  });

export const remove: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const deviceId = await findDevice(context, client, { given: invocation.args[0] ?? "", timeoutMs });
    const result = await client.call("device.pair.remove", { deviceId }, { timeoutMs });
    return { result, text: `Removed ${deviceId}; its connections are closed.` };
  });

export const rename: Run = (context, invocation) =>
  change(context, invocation, async (client, timeoutMs) => {
    const [given = "", displayName = ""] = invocation.args;
    const deviceId = await findDevice(context, client, { given, timeoutMs });
    const result = await client.call("device.pair.rename", { deviceId, displayName }, { timeoutMs });
    return { result, text: `${deviceId} is now called ${displayName}.` };
  });

interface Finding {
  readonly given: string | undefined;
  readonly timeoutMs: number;
}

/** Without an id: the only one that waits. */
async function findRequest(context: Context, client: GatewayClient, { given, timeoutMs }: Finding): Promise<string> {
  const { pending } = await client.call("device.pair.list", {}, { timeoutMs });
  return findOne(context, given ?? "", {
    ids: pending.map(({ requestId }) => requestId),
    none: "no device waits to be let in",
  });
}

async function findDevice(context: Context, client: GatewayClient, { given, timeoutMs }: Finding): Promise<string> {
  const { paired } = await client.call("device.pair.list", {}, { timeoutMs });
  return findOne(context, given ?? "", { ids: paired.map(({ deviceId }) => deviceId), none: "no device is paired" });
}

interface Known {
  readonly ids: readonly string[];
  /** What to say when there are none. */
  readonly none: string;
}

function findOne(context: Context, given: string, { ids, none }: Known): string {
  const found = ids.filter((id) => id.startsWith(given));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const what =
    given === "" ? "say which one" : `${found.length === 0 ? "nothing" : "more than one"} begins with ${given}`;
  throw new Fault(found.length === 0 ? "not_found" : "usage", ids.length === 0 ? none : what, {
    next: `see ${context.command("devices list")}`,
  });
}

async function readTarget(
  context: Context,
  client: GatewayClient,
  { invocation, timeoutMs }: { invocation: Invocation; timeoutMs: number },
): Promise<{ deviceId: string; role: "operator" | "node" }> {
  const { device, role = "operator" } = invocation.options;
  if (typeof device !== "string" || device === "")
    throw new Fault("usage", "--device is missing", {
      field: "--device",
      next: `see ${context.command("devices list")}`,
    });
  if (role !== "operator" && role !== "node")
    throw new Fault("usage", `no such role: ${String(role)}`, { field: "--role", next: "operator or node" });
  return { deviceId: await findDevice(context, client, { given: device, timeoutMs }), role };
}

/** `operator.read,operator.write`, or without the first word. */
function toScopes(option: unknown): string[] | undefined {
  if (typeof option !== "string") return undefined;
  const words = option.split(/[\s,]+/u).filter(Boolean);
  return words.map((word) => (word.includes(".") ? word : `operator.${word}`));
}
