// Agents in the config as it is written: added, changed, taken out. Pure; what comes out is checked before it is stored.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";

type Source = Readonly<Record<string, unknown>>;

export interface AgentChange {
  readonly name?: string;
  readonly workspace?: string;
  /** null: as all agents. */
  readonly model?: string | null;
  readonly emoji?: string;
  readonly avatar?: string;
}

export interface NewAgent extends AgentChange {
  readonly id: string;
  readonly workspace: string;
}

/** `Home Office` -> `home-office`. @throws Fault `invalid_params` when no letter or digit is left. */
export function toAgentId(name: string): string {
  const id = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 64);
  if (id !== "") return id;
  throw new Fault("invalid_params", "no agent id can be made of this name", {
    field: "name",
    next: "use a name with Latin letters or digits",
  });
}

/** @throws Fault `invalid_params` when there is one already. */
export function addAgent(source: Source, { id, ...change }: NewAgent): Source {
  const list = listOf(source);
  // the agent that is there without being written would be gone beside one that is
  const all = list.length === 0 ? [{ id: "main", default: true }] : list;
  if (all.some((agent) => idOf(agent) === id)) {
    throw new Fault("invalid_params", `agent "${id}" already exists`, {
      field: "name",
      next: "choose another name, or change it with agents.update",
    });
  }
  return withList(source, [...all, applyChange({ id }, change)]);
}

/** @throws Fault `not_found`. */
export function changeAgent(source: Source, id: string, change: AgentChange): Source {
  const list = listOf(source);
  const all = list.length === 0 && id === "main" ? [{ id: "main", default: true }] : list;
  if (!all.some((agent) => idOf(agent) === id)) throw unknownAgent(id);
  return withList(
    source,
    all.map((agent) => (idOf(agent) === id ? applyChange(agent, change) : agent)),
  );
}

/** With the bindings that lead to it. @throws Fault `not_found`, and `invalid_params` for the default agent. */
export function removeAgent(source: Source, id: string): { source: Source; removedBindings: number } {
  const list = listOf(source);
  const found = list.find((agent) => idOf(agent) === id);
  if (!found && id !== "main") throw unknownAgent(id);
  const isDefault =
    !found || found["default"] === true || (!list.some((agent) => agent["default"] === true) && list[0] === found);
  if (isDefault) {
    throw new Fault("invalid_params", `agent "${id}" answers by default and stays`, {
      field: "agentId",
      next: "make another agent the default first (agents.list[].default)",
    });
  }
  const bindings: readonly unknown[] = Array.isArray(source["bindings"]) ? source["bindings"] : [];
  const kept = bindings.filter((binding) => !isRecord(binding) || String(binding["agentId"]).toLowerCase() !== id);
  const rest = withList(
    source,
    list.filter((agent) => agent !== found),
  );
  const removedBindings = bindings.length - kept.length;
  return { source: removedBindings > 0 ? { ...rest, bindings: kept } : rest, removedBindings };
}

const idOf = (agent: Source) => String(agent["id"]).toLowerCase();

function listOf(source: Source): readonly Source[] {
  const agents = source["agents"];
  const list: unknown = isRecord(agents) ? agents["list"] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function withList(source: Source, list: readonly Source[]): Source {
  const agents = isRecord(source["agents"]) ? source["agents"] : {};
  return { ...source, agents: { ...agents, list } };
}

function applyChange(agent: Source, { name, workspace, model, emoji, avatar }: AgentChange): Source {
  const { model: oldModel, ...rest } = agent;
  const identity = isRecord(agent["identity"]) ? agent["identity"] : {};
  const shown = { ...identity, ...(emoji === undefined ? {} : { emoji }), ...(avatar === undefined ? {} : { avatar }) };
  const newModel = model === undefined ? oldModel : (model ?? undefined);
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(newModel === undefined ? {} : { model: newModel }),
    ...(Object.keys(shown).length > 0 ? { identity: shown } : {}),
  };
}

function unknownAgent(id: string): Fault {
  return new Fault("not_found", `agent "${id}" not found`, { field: "agentId", next: "agents.list names them all" });
}
