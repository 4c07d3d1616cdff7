// The three frames and the error in them. Build time, but for the types.

import { Type, type Static } from "typebox";

import { nonEmpty, stateVersion } from "./shapes.ts";

const strict = { additionalProperties: false } as const;

/** Real clients add a few keys (trace context): they are tolerated on the way in. */
export const requestFrame = Type.Object({
  type: Type.Literal("req"),
  id: Type.String({ minLength: 1, maxLength: 512, description: "Opaque; the answer carries it" }),
  method: Type.String({ minLength: 1, maxLength: 256, description: "Method name" }),
  params: Type.Optional(Type.Unknown({ description: "Object; absent means {}" })),
});

export const errorShape = Type.Object(
  {
    code: nonEmpty("NOT_LINKED, NOT_PAIRED, AGENT_TIMEOUT, INVALID_REQUEST, UNAVAILABLE; FORBIDDEN from protocol 4 on"),
    message: nonEmpty("What failed and what to do"),
    details: Type.Optional(Type.Unknown({ description: "Machine-readable extras" })),
    retryable: Type.Optional(Type.Boolean({ description: "The same request may work later" })),
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0, description: "Not before" })),
  },
  strict,
);

export const responseFrame = Type.Object(
  {
    type: Type.Literal("res"),
    id: nonEmpty("The request's id"),
    ok: Type.Boolean(),
    payload: Type.Optional(Type.Unknown()),
    error: Type.Optional(errorShape),
  },
  strict,
);

export const eventFrame = Type.Object(
  {
    type: Type.Literal("event"),
    event: nonEmpty("Event name"),
    payload: Type.Optional(Type.Unknown()),
    seq: Type.Optional(
      Type.Integer({ minimum: 0, description: "1, 2, 3 … on this connection; absent on events sent to it alone" }),
    ),
    stateVersion: Type.Optional(stateVersion),
  },
  strict,
);

export const frames = {
  RequestFrame: requestFrame,
  ResponseFrame: responseFrame,
  EventFrame: eventFrame,
  ErrorShape: errorShape,
};

export type RequestFrame = Static<typeof requestFrame>;
export type ErrorShape = Static<typeof errorShape>;
