// What the supervisor runs. Constructing a service does no I/O; `start` does.

/** What a service tells about itself; `next` is what its owner should do. */
export type ServiceState =
  | { readonly state: "starting" | "running" | "stopped" }
  | { readonly state: "degraded"; readonly reason: string; readonly next?: string };

export interface Service {
  readonly name: string;
  /** Resolves when the service works. Throwing degrades this service alone; the supervisor starts it again later. */
  start(): Promise<void>;
  /** Resolves when all is released, at the latest when `deadline` aborts. Must not throw. */
  stop(deadline: AbortSignal): Promise<void>;
  /** Absent means: running whenever it is started. */
  health?(): ServiceState;
}
