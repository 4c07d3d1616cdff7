// Which nodes are connected right now. One connection a node: who comes back takes the place of its older self.

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { NodeLink, NodeLinks } from "../ports/node-link.ts";
import type { Invocations } from "./invocations.ts";

export interface ConnectedNode {
  readonly link: NodeLink;
  /** ms since the epoch */
  readonly connectedAt: number;
}

export interface NodeRegistry extends NodeLinks {
  find(nodeId: string): ConnectedNode | undefined;
  list(): readonly ConnectedNode[];
}

export interface RegistryDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly invocations: Pick<Invocations, "drop">;
  readonly onAttach?: (link: NodeLink) => void;
  readonly onDetach?: (link: NodeLink) => void;
}

export function createNodeRegistry({
  clock,
  log,
  invocations,
  onAttach,
  onDetach,
}: RegistryDependencies): NodeRegistry {
  const nodes = new Map<string, ConnectedNode>();

  const forget = ({ link }: ConnectedNode) => {
    nodes.delete(link.nodeId);
    invocations.drop(link.connId);
    onDetach?.(link);
  };

  return {
    attach(link) {
      const older = nodes.get(link.nodeId);
      if (older?.link.connId === link.connId) return;
      if (older) {
        log.info("a node connected again; its older connection is closed", { node: link.nodeId });
        forget(older);
        older.link.close(1008, "replaced by a newer connection of this node");
      }
      nodes.set(link.nodeId, { link, connectedAt: clock.now() });
      onAttach?.(link);
    },
    detach(connId) {
      const gone = [...nodes.values()].find(({ link }) => link.connId === connId);
      // an older self that was replaced is not there any more
      if (gone) forget(gone);
    },
    find: (nodeId) => nodes.get(nodeId),
    list: () => [...nodes.values()],
  };
}
