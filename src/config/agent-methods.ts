// `agents.create`, `agents.update`, `agents.delete`: the config's list of agents, changed over the wire.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder } from "../platform/files.ts";
import type { HandlersOf } from "../ports/method.ts";
import { addAgent, changeAgent, removeAgent, toAgentId, type AgentChange } from "./agents.ts";
import { changeText } from "./edit.ts";
import type { Reloader } from "./reload.ts";
import type { ConfigStore } from "./store.ts";
import { createConfigWriter } from "./write.ts";

export interface AgentMethodsDependencies {
  readonly store: ConfigStore;
  readonly clock: Clock;
  /** Whatever is written counts by it. */
  readonly reloader: Pick<Reloader, "change">;
  /** Where an agent works unless it is told. */
  readonly workspaceOf: (agentId: string) => string;
}

type Names = "agents.create" | "agents.update" | "agents.delete";
type Source = Readonly<Record<string, unknown>>;

export function createAgentListHandlers(dependencies: AgentMethodsDependencies): HandlersOf<Names> {
  const { store, clock, reloader, workspaceOf } = dependencies;
  const writer = createConfigWriter({ files: store.files, clock });
  const change = async (edit: (source: Source) => Source) => {
    const write = () =>
      writer.write(({ text, value }) => {
        if (value === undefined) {
          throw new Fault("config_invalid", "invalid config; fix before changing agents", {
            next: "config validate names every problem",
          });
        }
        return changeText(text, value, edit(value));
      });
    // nothing about agents needs a restart
    await reloader.change(write, () => undefined);
  };

  return {
    async "agents.create"({ params }) {
      const name = params.name.trim();
      const id = toAgentId(name);
      const workspace = params.workspace?.trim() || workspaceOf(id);
      await change((source) => addAgent(source, { ...clean(params), id, name, workspace }));
      await ensureFolder(workspace);
      return { ok: true, agentId: id, name, workspace, ...(params.model ? { model: params.model } : {}) };
    },
    async "agents.update"({ params }) {
      const id = params.agentId.trim().toLowerCase();
      await change((source) => changeAgent(source, id, clean(params)));
      return { ok: true, agentId: id };
    },
    async "agents.delete"({ params }) {
      const id = params.agentId.trim().toLowerCase();
      let removedBindings = 0;
      await change((source) => {
        const removed = removeAgent(source, id);
        ({ removedBindings } = removed);
        return removed.source;
      });
      // what somebody has worked on is theirs to remove
      return { ok: true, agentId: id, removedBindings, removed: [] };
    },
  };
}

function clean({ name, workspace, model, emoji, avatar }: AgentChange): AgentChange {
  return {
    ...(name?.trim() ? { name: name.trim() } : {}),
    ...(workspace?.trim() ? { workspace: workspace.trim() } : {}),
    ...(model === undefined ? {} : { model }),
    ...(emoji === undefined ? {} : { emoji }),
    ...(avatar === undefined ? {} : { avatar }),
  };
}
