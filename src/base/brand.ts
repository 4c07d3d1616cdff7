// The names of the product. One program answers to two of them; everything that follows from a name is decided here
// and nowhere else, so no other file spells a product name.

/** Both count wherever a client writes the product's name; the first is written where we do. */
export const productNames = ["openclaw", "moltbot"] as const;

export type BrandName = (typeof productNames)[number];

/** Everything that follows from the name the program was called by. */
export interface Brand {
  readonly name: BrandName;
  /** As written in text for people. */
  readonly product: string;
  /** Folder under the home directory that holds the state: `.openclaw`. A profile appends `-<profile>`. */
  readonly stateFolder: string;
  readonly configFile: string;
  /** Prefix of our environment variables, without the underscore. */
  readonly envPrefix: string;
  /** Read when our own variable is unset; never written. */
  readonly fallbackEnvPrefix: string;
  /** State folders of older or sibling names, used in place (never renamed) when only they exist. */
  readonly fallbackStateFolders: readonly string[];
  /** Config file names of older or sibling names, in the order they are looked for. */
  readonly fallbackConfigFiles: readonly string[];
  /** Name of the log folder under the system's temporary folder, and the prefix of the files in it. */
  readonly logName: string;
  readonly canvasPath: string;
  /** Default workspace below the home directory; a profile appends `-<profile>`. */
  readonly workspaceFolder: string;
  /** systemd unit name without suffix and profile. */
  readonly systemdUnit: string;
  /** launchd label without profile; it does not follow the name. */
  readonly launchdLabel: string;
  /** Windows scheduled task name without profile. */
  readonly windowsTask: string;
}

const brands: Readonly<Record<BrandName, Brand>> = {
  openclaw: {
    name: "openclaw",
    product: "OpenClaw",
    stateFolder: ".openclaw",
    configFile: "openclaw.json",
    envPrefix: "OPENCLAW",
    fallbackEnvPrefix: "CLAWDBOT",
    fallbackStateFolders: [".clawdbot", ".moltbot", ".moldbot"],
    fallbackConfigFiles: ["moltbot.json", "clawdbot.json", "moldbot.json"],
    logName: "openclaw",
    canvasPath: "/__openclaw__/canvas/",
    workspaceFolder: ".openclaw/workspace",
    systemdUnit: "openclaw-gateway",
    launchdLabel: "bot.molt",
    windowsTask: "OpenClaw Gateway",
  },
  moltbot: {
    name: "moltbot",
    product: "Moltbot",
    stateFolder: ".clawdbot",
    configFile: "moltbot.json",
    envPrefix: "CLAWDBOT",
    fallbackEnvPrefix: "OPENCLAW",
    fallbackStateFolders: [".openclaw", ".moltbot", ".moldbot"],
    fallbackConfigFiles: ["clawdbot.json", "openclaw.json", "moldbot.json"],
    logName: "moltbot",
    canvasPath: "/__moltbot__/canvas/",
    workspaceFolder: "clawd",
    systemdUnit: "moltbot-gateway",
    launchdLabel: "bot.molt",
    windowsTask: "Moltbot Gateway",
  },
};

/** Below the home directory: where Gateways of all names and profiles tell each other that they run. */
export const instancesFolder = ".local/state/openclaw/gateways";

/** First segment of the canvas's paths: ours, and those of older names. */
export const canvasNames: readonly string[] = ["__openclaw__", "__moltbot__", "__clawdbot__"];

/** Words in the services of this product, of its sibling and of older names. */
export const serviceMarkers: readonly string[] = ["openclaw", "clawdbot", "moltbot"];

/** What a service says of itself, for programs of both names: the variables' prefix and the marker that goes with it. */
export const serviceFamilies: readonly (readonly [prefix: string, marker: BrandName])[] = [
  ["OPENCLAW", "openclaw"],
  ["CLAWDBOT", "moltbot"],
];

/** Labels and units of older names, without profile. */
export const legacyLaunchdLabels: readonly string[] = ["com.openclaw", "com.clawdbot"];
export const legacySystemdUnits: readonly string[] = ["clawdbot-gateway"];

/** The brand of a program name; a name we do not know is `openclaw`. */
export function brandOf(name: string): Brand {
  return name === "moltbot" || name === "clawdbot" ? brands.moltbot : brands.openclaw;
}
