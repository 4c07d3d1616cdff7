// The one error class and the one table of codes. A Fault is an error that somebody can act on; anything else thrown is a
// bug. The table says what each code becomes on the wire, over HTTP and as an exit code.

/** Error codes of the wire protocol (docs/protocol.md). `FORBIDDEN` exists from protocol 4 on. */
export type WireCode = "NOT_LINKED" | "NOT_PAIRED" | "AGENT_TIMEOUT" | "INVALID_REQUEST" | "UNAVAILABLE" | "FORBIDDEN";

interface CodeRow {
  readonly wire: WireCode;
  readonly http: number;
  readonly exit: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

const row = (wire: WireCode, http: number, exit: number, retryable: boolean, meaning: string): CodeRow => ({
  wire,
  http,
  exit,
  retryable,
  meaning,
});

/** Codes are never reused for another meaning. */
export const faultCodes = {
  invalid_params: row("INVALID_REQUEST", 400, 1, false, "A parameter is missing, of the wrong type or out of range."),
  invalid_frame: row("INVALID_REQUEST", 400, 1, false, "The frame is not one of the protocol's."),
  unknown_method: row("INVALID_REQUEST", 404, 1, false, "No such method."),
  key_reused: row("INVALID_REQUEST", 409, 1, false, "The idempotency key was used before with another request."),
  protocol_mismatch: row("INVALID_REQUEST", 400, 1, false, "Client and Gateway share no protocol version."),
  unauthorized: row("INVALID_REQUEST", 401, 1, false, "The credentials are missing or wrong."),
  forbidden: row("FORBIDDEN", 403, 1, false, "The connection was not granted the scope or role that this needs."),
  not_found: row("INVALID_REQUEST", 404, 1, false, "The thing that was named does not exist."),
  too_large: row("INVALID_REQUEST", 413, 1, false, "The request is larger than what is taken."),
  too_slow: row("INVALID_REQUEST", 408, 1, true, "The request did not come in whole within its time."),
  unsupported_channel: row("INVALID_REQUEST", 400, 1, false, "No such channel, or it cannot do this."),
  not_paired: row("NOT_PAIRED", 403, 1, false, "The device or sender has not been approved yet."),
  not_linked: row("NOT_LINKED", 409, 1, false, "The channel has no account linked."),
  agent_timeout: row("AGENT_TIMEOUT", 504, 1, true, "The agent did not answer within its time limit."),
  agent_failed: row("UNAVAILABLE", 502, 1, true, "No configured model could answer."),
  aborted: row("UNAVAILABLE", 499, 1, false, "The run was stopped on request."),
  channel_unavailable: row("UNAVAILABLE", 503, 1, true, "The channel is not connected."),
  send_rejected: row("UNAVAILABLE", 502, 1, false, "The platform refused this message."),
  send_unknown: row("UNAVAILABLE", 504, 1, false, "The connection broke during the send; it may have arrived."),
  node_failed: row("UNAVAILABLE", 502, 1, false, "The node could not do it, went away, or took too long."),
  shutting_down: row("UNAVAILABLE", 503, 1, true, "The Gateway is stopping or restarting."),
  overloaded: row("UNAVAILABLE", 429, 1, true, "Too much at once; try again shortly."),
  timeout: row("UNAVAILABLE", 504, 1, true, "The other side did not answer in time."),
  unreachable: row("UNAVAILABLE", 502, 1, true, "The other side cannot be reached."),
  config_invalid: row("UNAVAILABLE", 500, 1, false, "The config file has errors."),
  safe_mode: row(
    "UNAVAILABLE",
    503,
    1,
    true,
    "The config cannot be used; until it is mended, only what mends it is served.",
  ),
  storage: row("UNAVAILABLE", 500, 1, true, "The database could not be read or written."),
  port_busy: row("UNAVAILABLE", 503, 1, false, "Another process listens on the port."),
  already_running: row("UNAVAILABLE", 503, 1, false, "Another Gateway runs on this state directory."),
  usage: row("INVALID_REQUEST", 400, 2, false, "The command line is not right."),
  internal: row("UNAVAILABLE", 500, 1, false, "A bug in the Gateway."),
} as const satisfies Record<string, CodeRow>;

export type FaultCode = keyof typeof faultCodes;

export interface FaultDetails {
  cause?: unknown;
  /** The parameter or config key at fault. */
  field?: string;
  /** The next step for the person who reads this: one imperative sentence. */
  next?: string;
  retryAfterMs?: number;
  /** Machine-readable extras for `error.details` on the wire; never a secret. */
  details?: Readonly<Record<string, unknown>>;
  /** Goes beside the error as the answer's payload, where the protocol wants both (a failed run). */
  payload?: unknown;
}

/** The same for every copy of this module: the command line and the Gateway are bundles of their own. */
const mark = Symbol.for("gateway.fault");

export class Fault extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && mark in value;
  }

  readonly [mark] = true;
  readonly code: FaultCode;
  readonly field: string | undefined;
  readonly next: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly payload: unknown;

  constructor(code: FaultCode, message: string, extra: FaultDetails = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = "Fault";
    this.code = code;
    this.field = extra.field;
    this.next = extra.next;
    this.retryAfterMs = extra.retryAfterMs;
    this.details = extra.details;
    this.payload = extra.payload;
  }
}

/** The Fault itself, or any other thrown thing wrapped as a bug. Only the four outer edges call this. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Fault("internal", message, { cause: error });
}

/** Message and next step in one line, for people. */
export function renderFault(fault: Fault): string {
  return fault.next ? `${fault.message} (${fault.next})` : fault.message;
}
