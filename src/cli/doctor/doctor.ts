// `doctor`: looks, and with --fix mends: each fix is shown, asked for, and can be undone.

import { applyFixes, type Applied } from "../../doctor/apply.ts";
import { lookAtVersion } from "../../doctor/checks/database-version.ts";
import { createChecks, examine, type Found, type Selection } from "../../doctor/doctor.ts";
import type { Fix } from "../../doctor/finding.ts";
import { createPlanner, type PlannedFix, type Planner } from "../../doctor/plan.ts";
import type { Invocation, Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { openRestorePoints, openScene } from "./open.ts";
import { askPerson, type Ask } from "./ask.ts";
import {
  renderCounts,
  renderFindings,
  renderPlan,
  renderDatabase,
  toJson,
  type FixReport,
  type Look,
} from "./report.ts";

interface Wishes {
  readonly isFixing: boolean;
  readonly isYes: boolean;
  readonly isForced: boolean;
  readonly isDeep: boolean;
  readonly isLint: boolean;
  /** A fix that was asked for by a flag of its own. */
  readonly named: ReadonlySet<string>;
  readonly selection: Selection;
  readonly ask: Ask | undefined;
}

export const run: Run = async (context, invocation) => {
  if (invocation.options["undo"] === true) return (await import("./undo.ts")).run(context, { ...invocation, args: [] });
  const wishes = readWishes(context, invocation);
  const found = await look(context, wishes);
  if (!wishes.isFixing) return tell(context, wishes, { found, reports: [], applied: undefined });
  const { reports, applied } = await mend(context, wishes, found);
  const isChanged = applied !== undefined;
  return tell(context, wishes, { found: isChanged ? await look(context, wishes) : found, reports, applied });
};

function readWishes(context: Context, { options }: Invocation): Wishes {
  const isSet = (name: string) => options[name] === true;
  const list = (name: string) => {
    const text = options[name];
    if (typeof text !== "string") return undefined;
    return text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
  };
  const wantsToken = isSet("generateGatewayToken");
  const isFixing = isSet("fix") || isSet("repair") || wantsToken;
  const only = list("only") ?? (wantsToken && !isSet("fix") && !isSet("repair") ? ["access"] : undefined);
  const isAlone = isSet("yes") || isSet("nonInteractive") || context.flags.json === true;
  return {
    isFixing,
    isYes: isSet("yes"),
    isForced: isSet("force"),
    isDeep: isSet("deep"),
    isLint: isSet("lint"),
    named: new Set(wantsToken ? ["access.missing"] : []),
    selection: { only, skip: list("skip") },
    ask: isAlone ? undefined : askPerson(context.out),
  };
}

async function look(context: Context, { isDeep, selection }: Wishes): Promise<readonly Found[]> {
  const { out, flags } = context;
  const scene = openScene(context, isDeep);
  const isShown = out.isTerminal && process.stderr.isTTY && flags.json !== true;
  const show = (text: string) => void (isShown && process.stderr.write(`\r\u001b[2K${text}`));
  try {
    return await examine(createChecks(scene, context.ids), selection, (label) => show(`looking at ${label} ...`));
  } finally {
    show("");
  }
}

/** Every fix is shown before it is done; what was planned is done at once, behind one restore point. */
async function mend(
  context: Context,
  wishes: Wishes,
  found: readonly Found[],
): Promise<{ reports: FixReport[]; applied: Applied | undefined }> {
  const scene = openScene(context, wishes.isDeep);
  const planner = createPlanner(await scene.source());
  const left: FixReport[] = [];
  const seen = new Set<Fix | string>();
  for (const finding of found) {
    const { fix } = finding;
    if (!fix || seen.has(fix) || seen.has(fix.title)) continue;
    seen.add(fix).add(fix.title);
    const planned = await planner.plan(finding, fix);
    if (!planned) continue;
    if (context.flags.json !== true) renderPlan(toLook(context), planned);
    const refusal = await decide(planned, wishes);
    if (refusal === undefined) planner.accept(planned);
    else {
      left.push(toReport(planned, "left", refusal));
      if (context.flags.json !== true) context.out.line(`  left: ${refusal}`);
    }
  }
  if (planner.accepted().length === 0) return { reports: left, applied: undefined };
  const applied = await applyFixes(planner, { scene, points: openRestorePoints(context) });
  return { reports: [...toReports(applied, planner), ...left], applied };
}

/** undefined: do it. Else why not. */
async function decide(
  { fix, found }: PlannedFix,
  { isYes, isForced, named, ask }: Wishes,
): Promise<string | undefined> {
  if (named.has(found.id)) return undefined;
  if (fix.risk === "forced" && !isForced && !ask) return "needs --force: it takes away what somebody wrote";
  if (isYes) return fix.risk === "forced" && !isForced ? "needs --force: it takes away what somebody wrote" : undefined;
  if (ask) return (await ask("do it?")) ? undefined : "not wanted";
  return fix.risk === "safe" ? undefined : "needs --yes";
}

function toReport(planned: PlannedFix, result: FixReport["result"], reason?: string): FixReport {
  const { found, fix, lines } = planned;
  return {
    id: found.id,
    title: fix.title,
    risk: fix.risk,
    result,
    ...(reason === undefined ? {} : { reason }),
    diff: lines,
  };
}

const toReports = ({ outcomes }: Applied, planner: Planner): FixReport[] =>
  planner.accepted().map((planned, index) => {
    const error = outcomes[index]?.error;
    return error === undefined ? toReport(planned, "applied") : toReport(planned, "failed", error);
  });

interface Told {
  /** What is wrong now. */
  readonly found: readonly Found[];
  readonly reports: readonly FixReport[];
  readonly applied: Applied | undefined;
}

async function tell(context: Context, wishes: Wishes, { found, reports, applied }: Told): Promise<number> {
  const isOk = !found.some(({ severity }) => severity === "error");
  const hasFailed = reports.some(({ result }) => result === "failed");
  const code = (wishes.isLint && !isOk) || hasFailed ? 1 : 0;
  const database = await lookAtVersion(context);
  if (context.flags.json === true) {
    const point = applied ? { restorePoint: applied.point.id } : {};
    context.out.json({ ok: isOk, findings: found.map(toJson), fixes: reports, ...point, database: database ?? null });
    return code;
  }
  const { out, command } = context;
  if (applied) renderApplied(context, reports, applied);
  renderFindings(toLook(context), found);
  if (found.length > 0) out.line();
  renderDatabase(context, database);
  out.line(renderCounts(found));
  const fixable = found.filter(({ fix }) => fix !== undefined).length;
  if (!wishes.isFixing && fixable > 0) out.line(`next: ${command("doctor --fix")} mends ${fixable} of them`);
  return code;
}

function renderApplied({ out, command }: Context, reports: readonly FixReport[], { point, notes }: Applied): void {
  for (const { title, result, reason } of reports) {
    if (result === "failed") out.error(`failed: ${title}: ${reason ?? ""}`);
    if (result === "applied") out.line(`${out.style("green", "done:")} ${title}`);
  }
  for (const note of notes) out.line(note);
  out.line(`To put it back: ${command(`doctor undo ${point.id}`)}`);
  out.line();
}

function toLook({ out, env }: Context): Look {
  const locale = env.raw("LC_ALL") ?? env.raw("LC_CTYPE") ?? env.raw("LANG") ?? "";
  return { out, hasSymbols: out.isTerminal && /utf-?8/iu.test(locale) };
}
