// Which commands of a node may be invoked: what its platform offers by default, what the config adds and takes away, and what
// the node itself declared. Pure; a denial always wins.

export type NodePlatform = "ios" | "android" | "macos" | "linux" | "windows" | "unknown";

export interface CommandPolicy {
  /** `gateway.nodes.allowCommands` */
  readonly allow: readonly string[];
  /** `gateway.nodes.denyCommands` */
  readonly deny: readonly string[];
}

export interface NodeIdentity {
  readonly platform?: string | undefined;
  readonly deviceFamily?: string | undefined;
}

/** Words that clients of both generations read. */
export type Denial =
  | "command required"
  | "command not allowlisted"
  | "command not declared by node"
  | "node did not declare commands";

const device = [
  "canvas.present",
  "canvas.hide",
  "canvas.navigate",
  "canvas.eval",
  "canvas.snapshot",
  "canvas.a2ui.push",
  "canvas.a2ui.pushJSONL",
  "canvas.a2ui.reset",
  "camera.list",
  "camera.snap",
  "camera.clip",
  "screen.record",
  "location.get",
];
const phone = ["sms.send"];
const computer = [
  "system.run",
  "system.which",
  "system.notify",
  "system.execApprovals.get",
  "system.execApprovals.set",
  "browser.proxy",
];

const defaults: Readonly<Record<NodePlatform, readonly string[]>> = {
  ios: device,
  android: [...device, ...phone],
  macos: [...device, ...computer],
  linux: computer,
  windows: computer,
  unknown: [...device, ...phone, ...computer],
};

/** `iOS 18.2`, `darwin`, `win32`: platforms write themselves in many ways, and some only name their family. */
const platformPatterns: readonly (readonly [RegExp, NodePlatform])[] = [
  [/^(?:ios|ipados|iphone|ipad)/u, "ios"],
  [/^android/u, "android"],
  [/^(?:mac|darwin|osx)/u, "macos"],
  [/^win/u, "windows"],
  [/^linux/u, "linux"],
];

export function decidePlatform({ platform, deviceFamily }: NodeIdentity): NodePlatform {
  for (const word of [platform, deviceFamily]) {
    const text = word?.trim().toLowerCase() ?? "";
    const found = platformPatterns.find(([pattern]) => pattern.test(text))?.[1];
    if (found) return found;
  }
  return "unknown";
}

/** @returns why it is refused; undefined when it may be invoked. */
export function decideCommand(
  command: string,
  node: NodeIdentity & { readonly commands: readonly string[] },
  policy: CommandPolicy,
): Denial | undefined {
  if (command.trim() === "") return "command required";
  if (!isAllowed(command, decidePlatform(node), policy)) return "command not allowlisted";
  if (node.commands.length === 0) return "node did not declare commands";
  return node.commands.includes(command) ? undefined : "command not declared by node";
}

/** What of its declared commands can be invoked, in the node's order. */
export function usableCommands(
  node: NodeIdentity & { readonly commands: readonly string[] },
  policy: CommandPolicy,
): readonly string[] {
  const platform = decidePlatform(node);
  return [...new Set(node.commands)].filter((command) => isAllowed(command, platform, policy));
}

function isAllowed(command: string, platform: NodePlatform, { allow, deny }: CommandPolicy): boolean {
  const isNamed = (list: readonly string[]) => list.some((entry) => entry.trim() === command);
  return !isNamed(deny) && (defaults[platform].includes(command) || isNamed(allow));
}
