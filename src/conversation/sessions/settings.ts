// What `sessions.patch` asks for -> what is stored. Pure. Absent fields stay, null clears, unknown words are refused with those
// that are known.

import { Fault } from "../../base/fault.ts";
import type { MethodParams } from "../../protocol/contract.ts";
import type { SessionChange, SessionRow, SessionSettings } from "../store/sessions.ts";

export type PatchParams = MethodParams<"sessions.patch">;

/** The canonical `provider/model` of a model that may be used, or why it may not. */
export type ResolveModel = (
  text: string,
) => { readonly ref: string } | { readonly reason: string; readonly next: string };

export interface PatchOptions {
  readonly current: Pick<SessionRow, "key" | "label" | "spawnedBy" | "settings">;
  readonly resolveModel: ResolveModel;
  /** Canonical form of a session key. */
  readonly widen: (key: string) => string;
}

type WordName = Exclude<keyof SessionSettings, "model" | "execNode">;

/** Known words of each setting, and how the refusal writes them. */
const words: Readonly<Record<WordName, readonly string[]>> = {
  thinkingLevel: ["off", "minimal", "low", "medium", "high", "xhigh"],
  verboseLevel: ["on", "off", "full"],
  reasoningLevel: ["on", "off", "stream"],
  responseUsage: ["off", "tokens", "full", "on"],
  elevatedLevel: ["on", "off", "ask", "full"],
  execHost: ["sandbox", "gateway", "node"],
  execSecurity: ["deny", "allowlist", "full"],
  execAsk: ["off", "on-miss", "always"],
  sendPolicy: ["allow", "deny"],
  groupActivation: ["mention", "always"],
};

/** @throws Fault `invalid_params` naming the field. */
export function decidePatch(params: PatchParams, { current, resolveModel, widen }: PatchOptions): SessionChange {
  const settings: Record<string, string | undefined> = { ...current.settings };
  for (const [name, known] of Object.entries(words)) {
    // the names of the table are those of the params
    const value = params[name as WordName];
    if (value !== undefined) settings[name] = value === null ? undefined : toWord(name, value, known);
  }
  if (params.execNode !== undefined)
    settings["execNode"] = params.execNode === null ? undefined : toText("execNode", params.execNode);
  if (params.model !== undefined)
    settings["model"] = params.model === null ? undefined : toModel(params.model, resolveModel);
  return {
    // built from checked words only
    settings: settings as SessionSettings,
    label:
      params.label === undefined ? current.label : params.label === null ? undefined : toText("label", params.label),
    spawnedBy: decideSpawnedBy(params.spawnedBy, current, widen),
  };
}

function toWord(name: string, value: string, known: readonly string[]): string {
  const word = value.trim().toLowerCase();
  if (known.includes(word)) return word;
  throw invalid(name, `invalid ${name} (${renderWords(name, known)})`);
}

function renderWords(name: string, known: readonly string[]): string {
  if (name === "thinkingLevel") return `use ${known.join("|")}`;
  // `full` came later than the text that clients know
  const told = name === "verboseLevel" ? known.filter((word) => word !== "full") : known;
  return `use ${told.map((word) => `"${word}"`).join("|")}`;
}

function toText(name: string, value: string): string {
  const text = value.trim();
  if (text === "") throw invalid(name, `invalid ${name}: empty`);
  return text;
}

function toModel(value: string, resolveModel: ResolveModel): string {
  const resolved = resolveModel(toText("model", value));
  if ("ref" in resolved) return resolved.ref;
  throw new Fault("invalid_params", `model not allowed: ${value.trim()} (${resolved.reason})`, {
    field: "model",
    next: resolved.next,
  });
}

function decideSpawnedBy(
  value: string | null | undefined,
  current: PatchOptions["current"],
  widen: PatchOptions["widen"],
): string | undefined {
  if (value === undefined) return current.spawnedBy;
  if (value === null) {
    if (current.spawnedBy === undefined) return undefined;
    throw invalid("spawnedBy", "spawnedBy cannot be cleared once set");
  }
  const parent = widen(toText("spawnedBy", value));
  if (parent === current.spawnedBy) return parent;
  if (!/^agent:[^:]+:subagent:/u.test(current.key)) {
    throw invalid("spawnedBy", "spawnedBy is only supported for subagent:* sessions");
  }
  if (current.spawnedBy !== undefined) throw invalid("spawnedBy", "spawnedBy cannot be changed once set");
  return parent;
}

function invalid(field: string, message: string): Fault {
  return new Fault("invalid_params", message, { field });
}
