// voicewake.* and talk.mode: settings that devices with a microphone share. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nonEmpty, text, time } from "../shapes.ts";

export const voiceWake = Type.Object({
  triggers: Type.Array(nonEmpty("Word or phrase"), { description: "What a device listens for" }),
});

export const talkMode = Type.Object({
  enabled: Type.Boolean({ description: "Devices talk with the person" }),
  phase: Type.Union([Type.String(), Type.Null()], { description: "What they do just now, in the client's words" }),
  ts: time("When it was set"),
});

export const voiceMethods = {
  "voicewake.get": method({
    summary: "The words that devices listen for",
    params: Type.Object({}),
    result: voiceWake,
    scope: "operator.read",
  }),
  "voicewake.set": method({
    summary: "Sets the words that devices listen for, and tells all of them",
    params: Type.Object({
      triggers: Type.Array(text("Word or phrase, at most 64 characters count"), {
        maxItems: 1_000,
        description: "At most 32 count; an empty list brings the first ones back",
      }),
    }),
    result: voiceWake,
    scope: "operator.write",
  }),
  "talk.mode": method({
    summary: "Switches talking on or off, and tells all devices",
    params: Type.Object({
      enabled: Type.Boolean({ description: "On or off" }),
      phase: Type.Optional(Type.String({ maxLength: 64, description: "What the client does just now" })),
    }),
    result: talkMode,
    scope: "operator.write",
  }),
};
