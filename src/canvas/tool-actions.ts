// What the `canvas` tool does. A node's screen is the owner's: only turns that the owner asked for reach it (S11). Surfaces are the
// conversation's own, and are kept whether somebody looks or not.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findBase64Problem } from "../base/base64.ts";
import { Fault, renderFault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type { NodeCommands, NodeForCommands } from "../ports/node-commands.ts";
import type { ToolContext } from "../ports/tool.ts";
import type { Boards } from "./a2ui/boards.ts";
import { parseMessages } from "./a2ui/messages.ts";

export interface CanvasToolDependencies {
  readonly nodes: () => NodeCommands;
  readonly canvas: () => {
    readonly canvas: { boards(): Promise<Boards> };
    /** Its folder. */
    readonly root: () => string;
    readonly isEnabled: () => boolean;
  };
  /** A command as its owner types it. */
  readonly command: (words: string) => string;
  readonly ids: Ids;
}

export interface CanvasToolParams {
  readonly action: "present" | "hide" | "navigate" | "eval" | "snapshot" | "a2ui_push" | "a2ui_reset";
  readonly node?: string;
  readonly target?: string;
  readonly url?: string;
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  readonly javaScript?: string;
  readonly outputFormat?: "png" | "jpg" | "jpeg";
  readonly maxWidth?: number;
  readonly quality?: number;
  readonly jsonl?: string;
}

const maxScriptLength = 64 * 1024;
const maxSnapshotBytes = 10 * 1024 * 1024;

/** @throws Fault with what the model can do about it. */
export function runCanvasAction(
  params: CanvasToolParams,
  context: ToolContext,
  dependencies: CanvasToolDependencies,
): Promise<unknown> {
  const { action } = params;
  if (action === "a2ui_push" || action === "a2ui_reset") return changeBoard(params, context, dependencies);
  return showOnNode(action, params, { context, dependencies });
}

interface Means {
  readonly context: ToolContext;
  readonly dependencies: CanvasToolDependencies;
}

async function showOnNode(
  action: Exclude<CanvasToolParams["action"], `a2ui_${string}`>,
  params: CanvasToolParams,
  means: Means,
): Promise<unknown> {
  const { context, dependencies } = means;
  const command = `canvas.${action}`;
  const commandParams = paramsOf[action](params);
  if (!context.isOwner) throw notTheOwner();
  const nodes = await listAble(dependencies.nodes(), command);
  const node = chooseNode(nodes, params.node, command);
  const payload = await dependencies.nodes().run({
    nodeId: node.nodeId,
    command,
    params: commandParams,
    key: `${context.effectKey}:${command}`,
  });
  if (action === "snapshot") return { node: node.name, ...(await keepSnapshot(payload, dependencies)) };
  return { node: node.name, ...(payload === null ? {} : { result: payload }) };
}

const paramsOf = {
  present({ target, url, x, y, width, height }: CanvasToolParams) {
    const address = target ?? url;
    const placement = Object.fromEntries(
      Object.entries({ x, y, width, height }).filter(([, value]) => value !== undefined),
    );
    return {
      ...(address === undefined ? {} : { url: checkAddress(address, target === undefined ? "url" : "target") }),
      ...(Object.keys(placement).length === 0 ? {} : { placement }),
    };
  },
  hide: () => undefined,
  navigate({ url, target }: CanvasToolParams) {
    const address = url ?? target;
    if (address === undefined) throw missing("url", "the address to show");
    return { url: checkAddress(address, "url") };
  },
  eval({ javaScript = "" }: CanvasToolParams) {
    if (javaScript.trim() === "") throw missing("javaScript", "the script to run");
    if (javaScript.length > maxScriptLength)
      throw new Fault("too_large", `javaScript is longer than ${maxScriptLength} characters`, { field: "javaScript" });
    return { javaScript };
  },
  snapshot({ outputFormat = "png", maxWidth, quality }: CanvasToolParams) {
    return {
      format: outputFormat === "png" ? "png" : "jpeg",
      ...(maxWidth === undefined ? {} : { maxWidth }),
      ...(quality === undefined ? {} : { quality }),
    };
  },
} as const;

/** A path is the canvas's own; what runs a script, or reads a file, is no address. @throws Fault `invalid_params` */
function checkAddress(text: string, field: string): string {
  const address = text.trim();
  const isPath = address.startsWith("/") && !address.startsWith("//");
  const isWeb = URL.canParse(address) && /^https?:$/u.test(new URL(address).protocol);
  if (isPath || isWeb) return address;
  throw new Fault("invalid_params", `${field} is no address that can be shown`, {
    field,
    next: "use an http or https address, or a path of the canvas such as /page.html",
  });
}

async function listAble(nodes: NodeCommands, command: string): Promise<readonly NodeForCommands[]> {
  return (await nodes.connected()).filter(({ commands }) => commands.includes(command));
}

/** By id, or by name in any case. @throws Fault `unreachable` when there is none, `invalid_params` when it is not clear which. */
function chooseNode(able: readonly NodeForCommands[], wanted: string | undefined, command: string): NodeForCommands {
  const word = wanted?.trim().toLowerCase() ?? "";
  const found =
    word === "" ? able : able.filter(({ nodeId, name }) => nodeId === wanted?.trim() || name.toLowerCase() === word);
  const [node, ...others] = found;
  if (node && others.length === 0) return node;
  const names = able.map(({ name, nodeId }) => `${name} (${nodeId.slice(0, 12)})`).join(", ");
  if (node) {
    throw new Fault("invalid_params", `several nodes can do ${command}: ${names}`, {
      field: "node",
      next: "name one of them as node",
    });
  }
  throw new Fault(
    "unreachable",
    able.length > 0
      ? `no connected node of that name can do ${command}; these can: ${names}`
      : `no connected node can do ${command}`,
    {
      field: "node",
      next: "tell the owner to open the app of a device that has a canvas, or push A2UI, which a browser shows too",
    },
  );
}

async function changeBoard(
  params: CanvasToolParams,
  context: ToolContext,
  dependencies: CanvasToolDependencies,
): Promise<unknown> {
  if (!dependencies.canvas().isEnabled()) {
    throw new Fault("not_found", "the canvas is switched off", {
      next: "tell the owner: canvasHost.enabled in the config",
    });
  }
  const { sessionKey, effectKey } = context;
  const { action, jsonl = "" } = params;
  const isReset = action === "a2ui_reset";
  const messages = isReset ? [] : parseMessages(jsonl);
  const boards = await dependencies.canvas().canvas.boards();
  // asked before anything is shown: a node that is named must be there
  const node = await findBoardNode(params, context, dependencies);
  const surfaces = isReset
    ? (await boards.reset({ sessionKey, effectKey }), [])
    : [...(await boards.push({ sessionKey, effectKey }, messages)).keys()];
  const pages = boards.countPages(sessionKey);
  const onNode = node ? await tellNode(node, { messages, context, dependencies }) : {};
  const isSeen = pages > 0 || "node" in onNode;
  return {
    surfaces,
    pages,
    ...onNode,
    ...(isSeen || isReset ? {} : { shown: false, next: howToOpen(sessionKey, dependencies) }),
  };
}

/** The one that is named; else the only one that can, in a turn of the owner's. */
async function findBoardNode(
  { node, action }: CanvasToolParams,
  { isOwner }: ToolContext,
  { nodes }: CanvasToolDependencies,
): Promise<NodeForCommands | undefined> {
  const command = boardCommand(action);
  if (node !== undefined && !isOwner) throw notTheOwner();
  const able = isOwner ? await listAble(nodes(), command) : [];
  if (node !== undefined) return chooseNode(able, node, command);
  return able.length === 1 ? able[0] : undefined;
}

const boardCommand = (action: CanvasToolParams["action"]) =>
  action === "a2ui_reset" ? "canvas.a2ui.reset" : "canvas.a2ui.pushJSONL";

interface NodeMeans extends Means {
  readonly messages: readonly object[];
}

/** What was kept stays, whatever becomes of the node. */
async function tellNode(
  node: NodeForCommands,
  { messages, context, dependencies }: NodeMeans,
): Promise<{ readonly node: string } | { readonly nodeTrouble: string }> {
  const isReset = messages.length === 0;
  const command = boardCommand(isReset ? "a2ui_reset" : "a2ui_push");
  try {
    await dependencies.nodes().run({
      nodeId: node.nodeId,
      command,
      params: isReset ? undefined : { jsonl: messages.map((message) => JSON.stringify(message)).join("\n") },
      key: `${context.effectKey}:${command}`,
    });
    return { node: node.name };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { nodeTrouble: `${node.name}: ${renderFault(error)}` };
  }
}

const howToOpen = (sessionKey: string, { command }: CanvasToolDependencies) =>
  `nobody looks at it yet. It is kept: tell the owner to open it with \`${command(`canvas open --session ${sessionKey}`)}\`, or in a client`;

/** As a file of the canvas, where pages and people find it. */
async function keepSnapshot(payload: unknown, { canvas, ids }: CanvasToolDependencies): Promise<object> {
  const { base64, format } = isRecord(payload) ? payload : {};
  if (typeof base64 !== "string" || base64 === "")
    throw new Fault("node_failed", "the node sent no picture", { next: "present something first, and try again" });
  if (findBase64Problem(base64, maxSnapshotBytes) === "too-large")
    throw new Fault("too_large", `the picture is larger than ${maxSnapshotBytes} bytes`, {
      field: "maxWidth",
      next: "ask for a smaller maxWidth, or for jpg",
    });
  const bytes = Buffer.from(base64, "base64");
  const file = `snapshot-${ids.uuid()}.${format === "png" ? "png" : "jpg"}`;
  try {
    await writeFile(join(canvas().root(), file), bytes, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new Fault("storage", "the picture cannot be written into the canvas folder", {
      cause: error,
      next: "tell the owner to look at the folder of the canvas",
    });
  }
  return { file, bytes: bytes.length, next: "it is a file of the canvas now; you cannot look at it yourself" };
}

const missing = (field: string, what: string) =>
  new Fault("invalid_params", `${field} is missing`, { field, next: `send ${what}` });

const notTheOwner = () =>
  new Fault("forbidden", "a node's screen is reached in turns of the Gateway's owner only", {
    field: "node",
    next: "leave node out and push A2UI, or ask the owner",
  });
