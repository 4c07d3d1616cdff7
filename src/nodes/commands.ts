// What other rooms of the Gateway ask of nodes, for the agent.

import { parseRunId } from "../base/ids.ts";
import type { NodeCommands } from "../ports/node-commands.ts";
import type { Invoker } from "./invoke.ts";
import type { NodeView } from "./view.ts";

export interface CommandDependencies {
  readonly invoker: Invoker;
  readonly list: () => Promise<readonly NodeView[]>;
}

/** Names whose keys these are. */
const principal = "agent";

export function createNodeCommands({ invoker, list }: CommandDependencies): NodeCommands {
  return {
    async connected() {
      const nodes = await list();
      return nodes
        .filter(({ connected }) => connected)
        .map(({ nodeId, displayName, commands }) => ({ nodeId, name: displayName ?? nodeId, commands }));
    },
    async run({ nodeId, command, params, key, timeoutMs }) {
      const { payload, payloadJson } = await invoker.invoke({
        scope: { principal, method: "node.invoke", key: parseRunId(key) },
        nodeId,
        command,
        params,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      return payload ?? payloadJson;
    },
  };
}
