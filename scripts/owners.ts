// Who may use which of the machine's abilities (docs/architecture.md, "Who may import whom"). One row each: what, whose, why.

export interface Owner {
  readonly name: string;
  /** Looked for in the code, without comments and strings. */
  readonly pattern?: RegExp;
  /** Looked for among the imports; types of a built-in are free. */
  readonly modules?: readonly string[];
  /** Exports of those modules that touch nothing outside. */
  readonly freeNames?: readonly string[];
  /** Files below the source root. */
  readonly allowed: RegExp;
  readonly next: string;
}

export const owners: readonly Owner[] = [
  {
    name: "the database",
    modules: ["sqlite"],
    allowed: /^platform\/(?:database|lock)\b/u,
    next: "take a Database (platform/database)",
  },
  {
    name: "starting processes",
    modules: ["child_process", "cluster"],
    allowed: /^platform\/process\b/u,
    next: "use platform/process",
  },
  {
    name: "the network",
    modules: ["https", "http2", "net", "tls", "dgram", "undici"],
    freeNames: ["isIP", "isIPv4", "isIPv6", "BlockList", "STATUS_CODES"],
    allowed: /^platform\/(?:egress|listen)\b/u,
    next: "go out through platform/egress, listen through platform/listen",
  },
  {
    name: "HTTP by import, which costs 13 MB",
    modules: ["http"],
    allowed: /^$/u,
    next: "go out through platform/egress, listen through platform/listen; those two take it from platform/node-http",
  },
  {
    name: "the environment",
    pattern: /\bprocess\.env\b/u,
    allowed: /^platform\/env\b/u,
    next: "take an Env (platform/env)",
  },
  {
    name: "ending the process",
    pattern: /\bprocess\.(?:exit\s*\(|exitCode\b|abort\s*\(|kill\s*\()/u,
    allowed: /^(?:cli|platform\/process)\b/u,
    next: "return an exit code to the CLI",
  },
  {
    name: "time and timers",
    pattern:
      /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w$])(?:set(?:Timeout|Interval)|performance\.now)\b|\bAbortSignal\.timeout\b/u,
    modules: ["timers", "timers/promises", "perf_hooks"],
    allowed: /^(?:base\/clock|canvas\/page\/page-clock)\b/u,
    next: "take a Clock (base/clock)",
  },
  {
    name: "watching files",
    pattern: /\bfs\.watch|\bimport\s*\{[^}]*\b(?:watch|watchFile)\b[^}]*\}|\bFSWatcher\b/u,
    allowed: /^platform\/watch\b/u,
    next: "take a FileWatch (platform/watch)",
  },
  {
    name: "the console",
    pattern: /(?<![.\w$])console\./u,
    allowed: /^cli\/render\//u,
    next: "log through a Log, or print through cli/render",
  },
];

/** What belongs to nobody: a module's own mutable state would be shared by two Gateways in one process. */
export const moduleState: readonly RegExp[] = [
  /^(?:export\s+)?(?:let|var)\s+(\w+)/gmu,
  /^(?:export\s+)?const\s+(\w+)[^=\n]*=\s*new\s+(?:Map|Set|WeakMap|WeakSet)(?:<[^\n]*>)?\(\)/gmu,
  /^(?:export\s+)?const\s+(\w+)(?::[^=\n]*)?\s*=\s*(?:\[\]|\{\})\s*;/gmu,
];
