// May this command run on this machine? Pure. A denial is final; what is not understood counts as its strictest form; no shell
// text is looked into (S36).

import type { AllowedCommand, ExecApprovalsFile } from "../config/exec-approvals.ts";

export interface RunQuestion {
  readonly agentId: string;
  /** Absolute path; undefined when there is no such program. */
  readonly program: string | undefined;
  readonly args: readonly string[];
  /** The caller gives it variables of its own. */
  readonly hasOwnEnv: boolean;
  /** What a person said, as the Gateway attests it. */
  readonly approval: "allow-once" | "allow-always" | "unanswered" | undefined;
  /** For `~` in patterns. */
  readonly home: string;
}

export type RunVerdict =
  | { readonly isAllowed: true; readonly by: "full" | "allowlist" | "approval" }
  | { readonly isAllowed: false; readonly reason: "security=deny" | "approval required" | "allowlist miss" };

type Security = "deny" | "allowlist" | "full";
type Ask = "off" | "on-miss" | "always";

/** Programs that run what their arguments say: a rule for all arguments would be a rule for everything. */
const launchers =
  /^(?:ba|da|z|k|c|tc|fi|pw)?sh$|^(?:busybox|toybox|env|sudo|doas|su|xargs|find|nice|nohup|timeout|time|watch|setsid|stdbuf|ssh|parallel|strace|script|awk|gawk|mawk|sed|vi|vim|ed|emacs|tar|make|git|docker|podman|kubectl|npx|npm|pnpm|yarn|bunx?|deno|node|nodejs|ruby|perl|lua|php|osascript|powershell|cmd)(?:[\d.-]*)$|^(?:python|pypy)[\d.]*$/u;

export function decideRun(file: ExecApprovalsFile, question: RunQuestion): RunVerdict {
  const { security, ask, fallback, allowlist } = levelsOf(file, question.agentId);
  if (security === "deny") return { isAllowed: false, reason: "security=deny" };
  const isListed = allowlist.some((entry) => matches(entry, question));
  const isPermitted = security === "full" || isListed;
  const by = security === "full" ? ("full" as const) : ("allowlist" as const);
  if (isPermitted && ask !== "always") return { isAllowed: true, by };
  if (ask === "off") return { isAllowed: false, reason: "allowlist miss" };
  return decideAsked(question, { isListed, fallback });
}

function decideAsked({ approval }: RunQuestion, { isListed, fallback }: { isListed: boolean; fallback: Security }) {
  if (approval === "allow-once" || approval === "allow-always") return { isAllowed: true, by: "approval" } as const;
  const isFallback = fallback === "full" || (fallback === "allowlist" && isListed);
  if (approval === "unanswered" && isFallback) return { isAllowed: true, by: isListed ? "allowlist" : "full" } as const;
  return { isAllowed: false, reason: "approval required" } as const;
}

function levelsOf({ defaults = {}, agents = {} }: ExecApprovalsFile, agentId: string) {
  const own = Object.hasOwn(agents, agentId) ? agents[agentId] : undefined;
  const all = Object.hasOwn(agents, "*") ? agents["*"] : undefined;
  const pick = (key: "security" | "ask" | "askFallback") => own?.[key] ?? all?.[key] ?? defaults[key];
  return {
    security: toSecurity(pick("security")),
    ask: toAsk(pick("ask")),
    fallback: toSecurity(pick("askFallback")),
    allowlist: [...(all?.allowlist ?? []), ...(own?.allowlist ?? [])],
  };
}

const toSecurity = (word: string | undefined): Security => (word === "full" || word === "allowlist" ? word : "deny");

function toAsk(word: string | undefined): Ask {
  if (word === undefined) return "on-miss";
  return word === "off" || word === "on-miss" ? word : "always";
}

/** A rule for this program needs the arguments too: without them it allows nothing. */
export function isLauncher(program: string): boolean {
  return launchers.test(baseName(program));
}

function matches({ pattern, args, argPattern }: AllowedCommand, question: RunQuestion): boolean {
  const { program, hasOwnEnv, home } = question;
  // its variables can make a program do anything: only a person can allow that
  if (program === undefined || hasOwnEnv || argPattern !== undefined) return false;
  if (!toPattern(pattern, home)?.test(normalise(program))) return false;
  if (args === undefined) return !isLauncher(program);
  return args.length === question.args.length && args.every((word, index) => word === question.args[index]);
}

const isWindowsPath = (path: string) => /^[a-z]:|\\/iu.test(path);
const normalise = (path: string) => (isWindowsPath(path) ? path.replaceAll("\\", "/").toLowerCase() : path);
const baseName = (path: string) =>
  (normalise(path).split("/").at(-1) ?? "").replace(/\.(?:exe|cmd|bat|com)$/u, "").toLowerCase();

/** @returns undefined for a bare name: what it means depends on a search path. */
function toPattern(pattern: string, home: string): RegExp | undefined {
  const text = normalise(pattern.trim().replace(/^~(?=\/)/u, home));
  if (!text.includes("/")) return undefined;
  const source = text
    .replaceAll(/\*{2,}/gu, "\0")
    .replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`)
    .replaceAll("*", "[^/]*")
    .replaceAll("\0", ".*");
  return new RegExp(`^${source}$`, "su");
}
