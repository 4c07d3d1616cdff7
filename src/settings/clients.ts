// `ui`, `talk`, `media`, `nodeHost`: what clients show and send. Build time only.

import { Type } from "typebox";

import { flag, later, map, secret, text, texts } from "./key.ts";

export const ui = later(
  {
    seamColor: text("Accent colour", { pattern: "^#?[0-9a-fA-F]{6}$" }),
    assistant: later(
      { name: text("Name", { maxLength: 50 }), avatar: text("Picture, emoji or letters", { maxLength: 200 }) },
      "The assistant as shown",
    ),
  },
  "Look of clients",
  { reload: "none" },
);

export const talk = later(
  {
    voiceId: text("Voice"),
    voiceAliases: map(Type.String(), "Names for voices"),
    modelId: text("Speech model"),
    outputFormat: text("Audio format"),
    apiKey: secret("Key of the speech service"),
    interruptOnSpeech: flag("Stop speaking when spoken to"),
  },
  "Talk mode",
  { reload: "none" },
);

export const media = later({ preserveFilenames: flag("Keep the names of files") }, "Media store", {
  reload: "restart",
});

export const nodeHost = later(
  {
    browserProxy: later(
      { enabled: flag("Offer this machine's browser to the Gateway"), allowProfiles: texts("Only these profiles") },
      "Browser of this machine",
    ),
  },
  "This machine as a node",
  { reload: "restart" },
);
