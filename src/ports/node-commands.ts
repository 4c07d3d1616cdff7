// Commands of connected nodes for a room that is no node's. The nodes room holds them; the policy for commands counts as for anybody.

export interface NodeForCommands {
  readonly nodeId: string;
  /** What its owner calls it, else its id. */
  readonly name: string;
  /** Those that it declared and the policy lets through. */
  readonly commands: readonly string[];
}

export interface NodeCommand {
  readonly nodeId: string;
  readonly command: string;
  readonly params: unknown;
  /** The same key gets the same answer, and the node is asked once. */
  readonly key: string;
  readonly timeoutMs?: number;
}

export interface NodeCommands {
  connected(): Promise<readonly NodeForCommands[]>;
  /**
   * Resolves with what the node answered.
   * @throws Fault `unreachable` or `invalid_params`: nothing was sent. `node_failed`: it was, and the node could not do it.
   */
  run(command: NodeCommand): Promise<unknown>;
}
