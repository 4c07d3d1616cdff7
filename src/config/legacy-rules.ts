// The keys of older programs, in the order in which they are moved. Each rule leaves a document alone that has none of its keys.

import { isRecord } from "../base/json.ts";
import type { Draft, Path } from "./legacy-draft.ts";

export type LegacyRule = (draft: Draft) => void;

const channels = ["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"];

/** Whole values with a new place and nothing else. */
const moves: readonly (readonly [from: Path, to: Path])[] = [
  ...channels.map((id) => [[id], ["channels", id]] as const),
  [
    ["gateway", "token"],
    ["gateway", "auth", "token"],
  ],
  [
    ["gateway", "password"],
    ["gateway", "auth", "password"],
  ],
  [
    ["routing", "groupChat", "mentionPatterns"],
    ["messages", "groupChat", "mentionPatterns"],
  ],
  [
    ["routing", "groupChat", "historyLimit"],
    ["messages", "groupChat", "historyLimit"],
  ],
  [
    ["routing", "queue"],
    ["messages", "queue"],
  ],
  [
    ["messages", "queue", "byProvider"],
    ["messages", "queue", "byChannel"],
  ],
  [
    ["routing", "agentToAgent"],
    ["tools", "agentToAgent"],
  ],
  [
    ["agent", "elevated"],
    ["tools", "elevated"],
  ],
  [
    ["agent", "bash"],
    ["tools", "exec"],
  ],
  [
    ["agent", "sandbox", "tools"],
    ["tools", "sandbox", "tools"],
  ],
  [
    ["agent", "subagents", "tools"],
    ["tools", "subagents", "tools"],
  ],
  [["agent", "tools"], ["tools"]],
  [
    ["tools", "bash"],
    ["tools", "exec"],
  ],
];

/** Objects of the older form that are gone once they are empty, the inner ones first. */
const emptied: readonly Path[] = [["agent"], ["routing", "groupChat"], ["routing", "agents"], ["routing"], ["audio"]];

export const legacyRules: readonly LegacyRule[] = [
  (draft) => moves.forEach(([from, to]) => draft.move(from, to)),
  moveAgentDefaults,
  moveAllowFrom,
  moveMention,
  moveModels,
  moveAgents,
  renameProviders,
  moveBindings,
  moveTranscription,
  (draft) => draft.move(["messages", "tts", "enabled"], ["messages", "tts", "auto"], toAuto),
  renewProfile,
  (draft) => emptied.forEach((path) => draft.prune(path)),
];

/** After what of it belongs to the tools. */
function moveAgentDefaults(draft: Draft): void {
  for (const name of ["sandbox", "subagents"]) draft.prune(["agent", name]);
  draft.move(["agent"], ["agents", "defaults"]);
}

function moveAllowFrom(draft: Draft): void {
  const from = ["routing", "allowFrom"];
  if (draft.read(from) === undefined) return;
  if (isRecord(draft.read(["channels", "whatsapp"]))) draft.move(from, ["channels", "whatsapp", "allowFrom"]);
  else draft.refuse(from, "an older key of WhatsApp, which is not set up here", "remove it, or set WhatsApp up");
}

function moveMention(draft: Draft): void {
  for (const id of channels) {
    const from = ["channels", id, "requireMention"];
    if (id === "telegram" && draft.read(from) !== undefined) draft.spread(from, mentionPlaces(draft, id));
  }
  const configured = ["whatsapp", "telegram", "imessage"].filter((id) => isRecord(draft.read(["channels", id])));
  draft.spread(
    ["routing", "groupChat", "requireMention"],
    configured.flatMap((id) => mentionPlaces(draft, id)),
  );
}

/** For all groups; where some are listed, for those: one for all would let the others in. */
function mentionPlaces(draft: Draft, id: string): Path[] {
  const path = ["channels", id, "groups"];
  const groups = draft.read(path);
  const names = isRecord(groups) ? Object.keys(groups) : [];
  const listed = names.length === 0 || names.includes("*") ? ["*"] : names;
  return listed.map((name) => [...path, name, "requireMention"]);
}

function moveModels(draft: Draft): void {
  const defaults = ["agents", "defaults"];
  for (const name of ["model", "imageModel"]) {
    const fallbacks = [...defaults, `${name}Fallbacks`];
    if (draft.read(fallbacks) === undefined) continue;
    const model = draft.read([...defaults, name]);
    if (typeof model === "string") draft.set([...defaults, name], [...defaults, name], { primary: model });
    draft.move(fallbacks, [...defaults, name, "fallbacks"]);
  }
  moveAllowed(draft, [...defaults, "allowedModels"]);
  const aliases = draft.read([...defaults, "modelAliases"]);
  if (!isRecord(aliases) || !isRecord(draft.read([...defaults, "models"]) ?? {})) return;
  for (const [alias, ref] of Object.entries(aliases)) moveAlias(draft, alias, ref);
  draft.prune([...defaults, "modelAliases"]);
}

function moveAlias(draft: Draft, alias: string, ref: unknown): void {
  const from = ["agents", "defaults", "modelAliases", alias];
  if (typeof ref !== "string") draft.refuse(from, "an alias of no model", "write provider/model, or remove it");
  else draft.move(from, ["agents", "defaults", "models", ref, "alias"], () => alias);
}

/** A list of models becomes an object with an empty entry for each that has none. */
function moveAllowed(draft: Draft, from: Path): void {
  const list = draft.read(from);
  if (list === undefined) return;
  const models = ["agents", "defaults", "models"];
  const there = draft.read(models) ?? {};
  if (!Array.isArray(list) || !list.every((ref) => typeof ref === "string") || !isRecord(there)) {
    draft.refuse(from, "an older key whose value is not understood", `write it in ${models.join(".")} by hand`);
    return;
  }
  const added = (list as string[]).filter((ref) => !Object.hasOwn(there, ref)).map((ref) => [ref, {}] as const);
  const all = Object.fromEntries([...Object.entries(there), ...added]);
  draft.set(from, models, all);
  draft.move(from, models, () => all);
}

function moveAgents(draft: Draft): void {
  const agents = draft.read(["routing", "agents"]);
  if (isRecord(agents)) {
    for (const [id, agent] of Object.entries(agents)) {
      if (isRecord(agent)) moveAgent(draft, id);
      else draft.refuse(["routing", "agents", id], "an older agent that is no object", "write it in agents.list");
    }
  }
  moveDefault(draft, ["routing", "defaultAgentId"]);
  if (!isRecord(draft.read(["identity"]))) return;
  const at = placeOf(draft, defaultAgent(draft) ?? "main", ["identity"]);
  if (at) draft.move(["identity"], [...at, "identity"]);
}

function moveAgent(draft: Draft, id: string): void {
  const from = ["routing", "agents", id];
  draft.move([...from, "mentionPatterns"], [...from, "groupChat", "mentionPatterns"]);
  const at = placeOf(draft, id, from);
  if (at) draft.move(from, at);
}

function moveDefault(draft: Draft, from: Path): void {
  const id = draft.read(from);
  if (typeof id !== "string") return;
  const chosen = agentsOf(draft).find((item) => item["default"] === true);
  if (chosen && chosen["id"] !== id) {
    draft.refuse(from, "an older key, and agents.list has another default", "keep one of the two and remove the other");
    return;
  }
  const at = placeOf(draft, id, from);
  if (at) draft.move(from, [...at, "default"], () => true);
}

/** The agent's place in `agents.list`; a new item when it has none. undefined: there is no list to put it in. */
function placeOf(draft: Draft, id: string, from: Path): Path | undefined {
  const path = ["agents", "list"];
  const list = draft.read(path) ?? [];
  if (!Array.isArray(list) || !isRecord(draft.read(["agents"]) ?? {})) {
    draft.refuse(from, "an older key, and agents.list is no list", "make it a list: [ ... ]");
    return undefined;
  }
  const index = list.findIndex((item) => isRecord(item) && item["id"] === id);
  if (index !== -1) return [...path, String(index)];
  if (list.length === 0) draft.set(from, path, [{ id }]);
  else draft.set(from, [...path, String(list.length)], { id });
  return [...path, String(list.length)];
}

function agentsOf(draft: Draft): Record<string, unknown>[] {
  const list = draft.read(["agents", "list"]);
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function defaultAgent(draft: Draft): string | undefined {
  const items = agentsOf(draft);
  const chosen = items.find((item) => item["default"] === true) ?? items[0];
  return typeof chosen?.["id"] === "string" ? chosen["id"] : undefined;
}

/** Both lists count: the newer rules first. */
function moveBindings(draft: Draft): void {
  const from = ["routing", "bindings"];
  const old = draft.read(from);
  const there = draft.read(["bindings"]);
  if (Array.isArray(old) && Array.isArray(there)) {
    const all = [...(there as unknown[]), ...(old as unknown[])];
    draft.set(from, ["bindings"], all);
    draft.move(from, ["bindings"], () => all);
  } else draft.move(from, ["bindings"]);
}

function renameProviders(draft: Draft): void {
  const each = (path: Path, rename: (match: Path) => void) => {
    const list = draft.read(path);
    if (Array.isArray(list)) for (const index of list.keys()) rename([...path, String(index), "match"]);
  };
  for (const bindings of [["bindings"], ["routing", "bindings"]]) {
    each(bindings, (match) => {
      draft.move([...match, "provider"], [...match, "channel"]);
      draft.move([...match, "accountID"], [...match, "accountId"]);
    });
  }
  each(["session", "sendPolicy", "rules"], (match) => draft.move([...match, "provider"], [...match, "channel"]));
}

function moveTranscription(draft: Draft): void {
  for (const from of [
    ["routing", "transcribeAudio"],
    ["audio", "transcription"],
  ])
    draft.move(from, ["tools", "media", "audio"], toAudio);
}

/** One command becomes a list of one. */
function toAudio(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  const { command, ...rest } = value;
  if (!Array.isArray(command) || !command.every((word) => typeof word === "string")) return undefined;
  const [program, ...args] = command as string[];
  return program === undefined
    ? undefined
    : { enabled: true, models: [{ type: "cli", command: program, args, ...rest }] };
}

const toAuto = (value: unknown) => (typeof value === "boolean" ? (value ? "always" : "off") : undefined);

/** A credential that was kept as a token by the older program and is renewed like the others. */
function renewProfile(draft: Draft): void {
  const path = ["auth", "profiles", "anthropic:claude-cli", "mode"];
  if (draft.read(path) === "token") draft.set(path, path, "oauth");
}
