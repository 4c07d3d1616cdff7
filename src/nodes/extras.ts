// What a connected node brings beside its commands: skills, tools of its plugins, worker features. Gone when it goes.

import type { MethodParams } from "../protocol/contract.ts";

type Skills = readonly { readonly name: string; readonly description: string }[];
type PluginTools = readonly { readonly pluginId: string; readonly name: string; readonly description: string }[];

export interface NodeExtras {
  readonly skills?: Skills;
  readonly pluginTools?: PluginTools;
  readonly protocolFeatures?: readonly string[];
}

export interface Extras {
  of(nodeId: string): NodeExtras;
  setSkills(nodeId: string, skills: MethodParams<"node.skills.update">["skills"]): void;
  setPluginTools(nodeId: string, tools: MethodParams<"node.pluginTools.update">["tools"]): void;
  setFeatures(nodeId: string, features: readonly string[]): void;
  drop(nodeId: string): void;
}

export function createExtras(): Extras {
  const byNode = new Map<string, NodeExtras>();
  const set = (nodeId: string, change: NodeExtras) => byNode.set(nodeId, { ...byNode.get(nodeId), ...change });
  return {
    of: (nodeId) => byNode.get(nodeId) ?? {},
    // only what is shown is kept: names and descriptions, not the texts
    setSkills: (nodeId, skills) =>
      set(nodeId, { skills: skills.map(({ name, description }) => ({ name, description })) }),
    setPluginTools: (nodeId, tools) =>
      set(nodeId, {
        pluginTools: tools.map(({ pluginId, name, description }) => ({ pluginId, name, description })),
      }),
    setFeatures: (nodeId, protocolFeatures) => set(nodeId, { protocolFeatures }),
    drop: (nodeId) => byNode.delete(nodeId),
  };
}
