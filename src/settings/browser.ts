// `browser`. Build time only.

import { Type } from "typebox";

import { anything, flag, later, map, text, whole } from "./key.ts";

const color = { pattern: "^#?[0-9a-fA-F]{6}$" };

const profile = Type.Object({
  cdpPort: whole("Debugging port", { minimum: 1, maximum: 65_535 }),
  cdpUrl: text("Debugging address of a browser that runs elsewhere"),
  driver: text("How the browser is reached"),
  color: text("Colour of the window", color),
});

export const browser = later(
  {
    enabled: flag("Control a browser"),
    evaluateEnabled: flag("Let the agent run scripts in pages"),
    controlPort: whole("Port of the browser control, on loopback; base + 2 when unset", {
      minimum: 1,
      maximum: 65_535,
    }),
    cdpUrl: text("Debugging address of a browser that runs elsewhere"),
    remoteCdpTimeoutMs: whole("Time limit of its answers", { minimum: 1 }),
    remoteCdpHandshakeTimeoutMs: whole("Time limit of connecting to it", { minimum: 1 }),
    color: text("Colour of the window", color),
    executablePath: text("Browser program; looked for when unset"),
    headless: flag("Without a window"),
    noSandbox: flag("Without the browser's own sandbox"),
    attachOnly: flag("Never start a browser"),
    defaultProfile: text("Profile used unless one is named"),
    snapshotDefaults: anything("How pages are described"),
    profiles: map(profile, "Profiles by name"),
  },
  "Browser control",
  { reload: "hot" },
);
