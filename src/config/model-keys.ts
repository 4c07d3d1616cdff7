// Keys that a model's run may change, all others being closed to it: how the agent sounds and looks, and which of the models that are
// set up it uses. Nothing that decides who may do what, where something goes, or what is kept of it (S11). Pure.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";

const open = [
  ...[
    "model",
    "userTimezone",
    "timeFormat",
    "envelopeTimezone",
    "envelopeTimestamp",
    "envelopeElapsed",
    "thinkingDefault",
    "verboseDefault",
    "humanDelay",
    "timeoutSeconds",
    "typingIntervalSeconds",
    "typingMode",
  ].map((name) => `agents.defaults.${name}`),
  ...["idleMinutes", "typingIntervalSeconds", "typingMode"].map((name) => `session.${name}`),
  ...["messagePrefix", "responsePrefix", "ackReaction", "ackReactionScope", "removeAckAfterReply"].map(
    (name) => `messages.${name}`,
  ),
  ...["voiceId", "modelId", "outputFormat", "interruptOnSpeech"].map((name) => `talk.${name}`),
  "ui.seamColor",
  "ui.assistant.name",
];

export function isOpenToModels(path: readonly string[]): boolean {
  const key = path.join(".");
  return open.some((known) => key === known || key.startsWith(`${known}.`));
}

/** @throws Fault `forbidden` for a change of any other key, and for a value that names a variable: that would say a secret aloud. */
export function checkModelChange(changes: readonly (readonly string[])[], after: unknown): void {
  const closed = changes.filter((path) => !isOpenToModels(path)).map((path) => path.join("."));
  if (closed.length > 0) {
    throw new Fault("forbidden", `an agent may not change ${closed.slice(0, 10).join(", ")}`, {
      field: closed[0] ?? "",
      next: `tell the owner what to change and why; open to agents: ${open.join(", ")}`,
    });
  }
  const named = changes.find((path) => JSON.stringify(valueAt(after, path) ?? null).includes("${"));
  if (named) {
    throw new Fault("forbidden", `an agent may not put a variable into ${named.join(".")}`, {
      field: named.join("."),
      next: "write the value itself",
    });
  }
}

function valueAt(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return value;
  return isRecord(value) ? valueAt(value[first], rest) : undefined;
}
