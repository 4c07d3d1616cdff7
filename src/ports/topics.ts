// Events that only those connections get that asked for them. The implementation is platform/topics, the filter gateway/broadcast.

export interface Topics {
  /**
   * Until `signal` aborts: that of the connection.
   * @throws Fault `overloaded` when this connection has too many.
   */
  add(topic: string, connId: string, signal: AbortSignal): void;
  remove(topic: string, connId: string): void;
  has(topic: string, connId: string): boolean;
  /** Somebody asked for it: worth making the event. */
  isWanted(topic: string): boolean;
}
