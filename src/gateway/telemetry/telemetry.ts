// Whether spans and figures leave this machine, as the config and the environment say just now. While they do not, nothing of
// OpenTelemetry is loaded.

import { isDeepStrictEqual } from "node:util";

import type { Service } from "../../base/service.ts";
import { noSpans, type BeginSpan } from "../../base/trace.ts";
import type { Config } from "../../settings/config.ts";
import type { Log } from "../../base/log.ts";
import type { ExportDependencies, Exporting } from "./export.ts";
import { decideTelemetry, type TelemetrySettings } from "./settings.ts";
import { createTrouble } from "./trouble.ts";
import type { Problem } from "./variables.ts";

export interface TelemetryDependencies extends Omit<ExportDependencies, "onExported" | "startedAt"> {
  readonly log: Log;
  readonly section: () => Config["diagnostics"];
  readonly variable: (name: string) => string | undefined;
  /** What the Gateway is called where nothing else is said. */
  readonly product: string;
  /** What `problems` tells has changed. */
  readonly onProblems: () => void;
}

export interface Telemetry extends Service {
  readonly beginSpan: BeginSpan;
  isTracing(): boolean;
  /** Takes up what the config says now. Never throws. */
  apply(): Promise<void>;
  problems(): readonly Problem[];
}

/** What waits at the end gets so long to be sent. */
const closeBudgetMs = 2_000;

interface Current {
  readonly settings: TelemetrySettings;
  readonly exporting: Exporting;
}

export function createTelemetry(dependencies: TelemetryDependencies): Telemetry {
  const { clock, log, section, variable, product, onProblems } = dependencies;
  const startedAt = clock.now();
  const trouble = createTrouble({ clock, log, onChange: onProblems });
  let current: Current | undefined;
  let problems: readonly Problem[] = [];
  let queue = Promise.resolve();

  const tell = (found: readonly Problem[]) => {
    if (isDeepStrictEqual(found, problems)) return;
    for (const { message, next } of found)
      if (!problems.some((known) => known.message === message)) log.warn(message, { next });
    problems = found;
    onProblems();
  };

  const open = async (settings: TelemetrySettings): Promise<Current> => {
    const { openExport } = await import("./export.ts");
    const onExported: ExportDependencies["onExported"] = (signal, problem) => trouble.note(signal, problem);
    return { settings, exporting: openExport(settings, { ...dependencies, startedAt, onExported }) };
  };

  const take = async (settings: TelemetrySettings | undefined) => {
    if (isDeepStrictEqual(settings, current?.settings)) return;
    const before = current;
    current = settings && (await open(settings));
    trouble.forget();
    if (settings) log.info(`exporting ${listSignals(settings)}`);
    else log.info("nothing is exported any more");
    // new spans go the new way already
    void before?.exporting.close(closeBudgetMs);
  };

  const inTurn = (task: () => Promise<void>) => {
    queue = queue.then(task).catch((error: unknown) => {
      tell([{ message: "telemetry does not start", next: "see the log, and diagnostics.otel" }]);
      log.error("telemetry does not start; everything else goes on", { error });
    });
    return queue;
  };
  const apply = () =>
    inTurn(async () => {
      const decision = decideTelemetry(section(), variable, product);
      tell(decision.problems);
      await take(decision.settings);
    });

  return {
    name: "telemetry",
    beginSpan: (name, options) => (current?.exporting.beginSpan ?? noSpans)(name, options),
    isTracing: () => current?.exporting.beginSpan !== undefined,
    apply,
    start: apply,
    stop: () =>
      inTurn(async () => {
        const before = current;
        current = undefined;
        await before?.exporting.close(closeBudgetMs);
      }),
    problems: () => [...problems, ...trouble.problems()],
  };
}

/** An address may hold a name and a password: those are not for the log. */
function listSignals({ traces, metrics }: TelemetrySettings): string {
  const describe = (signal: string, { url }: { readonly url: string }) => {
    const { origin, pathname } = new URL(url);
    return `${signal} to ${origin}${pathname}`;
  };
  return [...(traces ? [describe("traces", traces)] : []), ...(metrics ? [describe("metrics", metrics)] : [])].join(
    ", ",
  );
}
