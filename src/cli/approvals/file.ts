// `approvals get|set|allowlist`: the file of commands that may run without asking, here or on a node.

import { readFile } from "node:fs/promises";

import type { GatewayClient } from "../../client/connect.ts";
import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import { isLauncher } from "../../node-host/policy.ts";
import type { MethodParams } from "../../protocol/contract.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { findNode } from "../nodes/find.ts";

type File = MethodParams<"exec.approvals.set">["file"];
type Agent = NonNullable<File["agents"]>[string];

interface Snapshot {
  readonly path: string;
  readonly exists: boolean;
  readonly hash: string;
  readonly file: File;
}

export const get: Run = (context, invocation) =>
  withFile(context, invocation, async (place) => {
    const snapshot = await place.read();
    if (context.flags.json) context.out.json(snapshot);
    else {
      context.out.line(`${snapshot.path}${snapshot.exists ? "" : " (not there yet: nothing runs)"}`);
      context.out.json(snapshot.file);
    }
  });

export const set: Run = async (context, invocation) => {
  const path = invocation.options["file"];
  if (typeof path !== "string") throw new Fault("usage", "which file?", { field: "--file", next: "- reads stdin" });
  const file = parseFile(path === "-" ? await readInput() : await readFile(path, "utf8").catch(() => undefined), path);
  return withFile(context, invocation, async (place) => {
    const { hash } = await place.read();
    tell(context, await place.write(file, hash), "Replaced.");
  });
};

export const allowlist: Run = async (context, invocation) => {
  const [action = "", given = ""] = invocation.args;
  const change = action === "add" ? add : action === "remove" ? remove : undefined;
  if (!change) throw new Fault("usage", `no such action: ${action}`, { next: "add or remove" });
  const pattern = given.trim();
  if (!/[/\\]/u.test(pattern))
    throw new Fault("usage", "a program is named by its whole path", { next: 'such as "/usr/bin/uname" or "~/bin/*"' });
  if (action === "add" && isLauncher(pattern))
    context.out.error(`${pattern} runs what its arguments say: listed without them it is asked about each time`);
  const id = (invocation.options["agent"] as string | undefined) ?? "*";
  return withFile(context, invocation, async (place) => {
    const { file, hash } = await place.read();
    const agent = change(file.agents?.[id] ?? {}, pattern);
    if (!agent) {
      context.out.line("Nothing to change.");
      return;
    }
    // a list counts for nothing while everything is denied
    const isDenied = action === "add" && file.defaults?.security === undefined && agent.security === undefined;
    const defaults = isDenied ? { ...file.defaults, security: "allowlist" } : file.defaults;
    const changed = { ...file, ...(defaults ? { defaults } : {}), agents: { ...file.agents, [id]: agent } };
    tell(context, await place.write(changed, hash), isDenied ? "Changed; security is allowlist now." : "Changed.");
  });
};

/** @returns undefined when there is nothing to change. */
function add(agent: Agent, pattern: string): Agent | undefined {
  const { allowlist: entries = [] } = agent;
  if (entries.some((entry) => entry.pattern === pattern && entry.args === undefined)) return undefined;
  return { ...agent, allowlist: [...entries, { pattern }] };
}

function remove(agent: Agent, pattern: string): Agent | undefined {
  const { allowlist: entries = [] } = agent;
  const rest = entries.filter((entry) => entry.pattern !== pattern);
  return rest.length === entries.length ? undefined : { ...agent, allowlist: rest };
}

function tell({ flags, out }: Context, snapshot: Snapshot, text: string): void {
  if (flags.json) out.json(snapshot);
  else out.line(text);
}

interface Place {
  read(): Promise<Snapshot>;
  write(file: File, baseHash: string): Promise<Snapshot>;
}

async function withFile(
  context: Context,
  { options }: Invocation,
  task: (place: Place) => Promise<void>,
): Promise<number> {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 20_000);
  await withClient(context, { scopes: ["operator.admin"], timeoutMs }, async (client) =>
    task(
      options["node"] === undefined
        ? here(client, timeoutMs)
        : await onNode(context, client, { given: options["node"], timeoutMs }),
    ),
  );
  return 0;
}

function here(client: GatewayClient, timeoutMs: number): Place {
  return {
    read: async () => toSnapshot(await client.call("exec.approvals.get", {}, { timeoutMs })),
    write: async (file, baseHash) =>
      toSnapshot(await client.call("exec.approvals.set", { file, baseHash }, { timeoutMs })),
  };
}

async function onNode(
  context: Context,
  client: GatewayClient,
  finding: { given: unknown; timeoutMs: number },
): Promise<Place> {
  const { timeoutMs } = finding;
  const { nodeId } = await findNode(context, client, finding);
  return {
    read: async () => toSnapshot(await client.call("exec.approvals.node.get", { nodeId }, { timeoutMs })),
    write: async (file, baseHash) =>
      toSnapshot(await client.call("exec.approvals.node.set", { nodeId, file, baseHash }, { timeoutMs })),
  };
}

/** A node may be another program. */
function toSnapshot(value: unknown): Snapshot {
  if (isRecord(value) && typeof value["hash"] === "string" && isRecord(value["file"])) {
    const { path, exists, hash, file } = value;
    // what it says of its own file
    return { path: String(path), exists: exists === true, hash, file: file as unknown as File };
  }
  throw new Fault("internal", "that was no answer about exec approvals");
}

function parseFile(text: string | undefined, path: string): File {
  if (text === undefined) throw new Fault("usage", `cannot read ${path}`, { field: "--file" });
  try {
    // the Gateway checks it
    return JSON.parse(text) as File;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Fault("usage", `${path} is not JSON: ${error.message}`, { field: "--file" });
  }
}

async function readInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  return text;
}
