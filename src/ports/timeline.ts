// What is kept of the life of a Gateway from minute to minute, for whoever asks later why it was slow, silent or gone. Figures, names
// of parts and keys; never what people write.

export interface Minute {
  /** ms since the process began. */
  readonly uptimeMs: number;
  /** What it stands for, in ms of the monotonic clock. */
  readonly spanMs: number;
  /** How late a timer came: half of them less than `p50`; in ms. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Share of the time in which the event loop had something to do, 0 to 1. */
  readonly busy: number;
  readonly cpuMs: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** TCP connections of the process, its listeners among them. */
  readonly sockets: number;
  /** Connections over WebSocket that have authenticated. */
  readonly clients: number;
  /** As the last health snapshot has it; absent while the database cannot be read. */
  readonly queue?: { readonly queued: number; readonly running: number; readonly outbox: number };
  readonly lostLogLines?: number;
  /** The machine slept, or its clock was set: ms by which the wall clock went further than time did. */
  readonly jumpMs?: number;
  readonly channels: readonly ChannelMinute[];
}

/** Ages in ms, absent: not since the start. */
export interface ChannelMinute {
  readonly channel: string;
  readonly account: string;
  readonly isUp: boolean;
  readonly pollAge?: number;
  readonly inboundAge?: number;
  readonly outboundAge?: number;
}

export interface TimelineEntries {
  start: { readonly version: string; readonly node: string; readonly config: string; readonly isFirst: boolean };
  /** `steps`: ms of each step of the start, in order. */
  up: { readonly ms: number; readonly steps: readonly (readonly [string, number])[]; readonly config: string };
  minute: Minute;
  channel: {
    readonly channel: string;
    readonly account: string;
    readonly event: "started" | "stopped" | "connected" | "disconnected" | "trouble" | "mended";
    readonly reason?: string;
    readonly attempts?: number;
  };
  /** A changed config was taken up. `by`: a saved file, a client that asked, or an agent. */
  config: { readonly by: string; readonly effect: string; readonly paths: readonly string[]; readonly count: number };
  /** A saved file was not. */
  "config-refused": { readonly problems: number };
  stopping: { readonly why: string };
  stopped: { readonly ms: number };
  failed: { readonly code: string; readonly reason: string };
}

export type TimelineKind = keyof TimelineEntries;

export interface Timeline {
  /** Never throws: what cannot be written is lost. */
  note<Kind extends TimelineKind>(kind: Kind, entry: TimelineEntries[Kind]): void;
}
