// Traces: what one message sets going, as a tree of spans. Whoever exports them is elsewhere; here they may lead nowhere.

import { toFault } from "./fault.ts";

/** Words and numbers of ours alone: never what a person wrote, an address, a name or a secret. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `server`, `consumer`: work that came from outside; `client`, `producer`: work that somebody else is asked to do. */
export type SpanKind = "internal" | "server" | "client" | "consumer" | "producer";

export interface SpanOptions {
  readonly kind?: SpanKind;
  /** A `traceparent` of W3C; absent, or none: the span begins a trace. */
  readonly parent?: string | undefined;
  /** Milliseconds since the epoch; absent: now. */
  readonly startedAt?: number;
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** A `traceparent` that makes others its children, now or after a restart; undefined: nothing is traced. */
  readonly context: string | undefined;
  /** Once. */
  end(how?: SpanEnd): void;
}

export interface SpanEnd {
  /** Milliseconds since the epoch; absent: now. */
  readonly endedAt?: number;
  readonly attributes?: SpanAttributes;
  /** One word for what went wrong, such as a Fault's code. */
  readonly error?: string | undefined;
}

/** Never throws. `name` is one of few: names of things that the config sets up are, those of messages are not. */
export type BeginSpan = (name: string, options?: SpanOptions) => Span;

const noSpan: Span = { context: undefined, end() {} };

export const noSpans: BeginSpan = () => noSpan;

/** The span lasts as long as the task. `tell`: what there is to say of its result. */
export async function inSpan<T>(span: Span, task: () => Promise<T>, tell: (result: T) => SpanEnd): Promise<T> {
  let how: SpanEnd = {};
  try {
    const result = await task();
    how = tell(result);
    return result;
  } catch (error) {
    how = { error: toFault(error).code };
    throw error;
  } finally {
    span.end(how);
  }
}
