// `status`: the short summary; with `--deep` platforms and services are asked, with `--all` it is a diagnosis to hand on. A Gateway
// that cannot be reached is a finding here, not a failure.

import type { Run } from "./commands.ts";
import { findGateway, parseTimeout, readConfig } from "./connection.ts";
import type { Context } from "./context.ts";
import { gatherStatus, type StatusReport } from "./status/report.ts";

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const isAll = options["all"] === true;
  const isDeep = isAll || options["deep"] === true;
  const { out, flags } = context;
  const loaded = await readConfig(context);
  const target = await findGateway(context, loaded.config);
  if (loaded.fault && !flags.json && !isAll) out.fault(loaded.fault);
  const asking = { isDeep, isUsage: isAll || options["usage"] === true, timeoutMs };
  const given = { config: loaded.config, target };
  if (!isDeep) {
    const report = await gatherStatus(context, given, asking);
    if (flags.json) out.json(report);
    else await show(context, report);
    return 0;
  }
  const { diagnose, maskReport } = await import("./status/diagnosis.ts");
  const [status, diagnosis] = await Promise.all([
    gatherStatus(context, given, asking),
    diagnose(context, { loaded, target }),
  ]);
  const report = maskReport({ ...status, ...diagnosis }, given);
  if (flags.json) out.json(report);
  else {
    const { renderAll, renderDeep, renderShort, renderUsage } = await import("./status/text.ts");
    if (isAll) renderAll(context, report);
    else {
      renderShort(context, report);
      renderDeep(context, report);
      if (report.usage) renderUsage(context, report.usage);
    }
  }
  return 0;
};

async function show(context: Context, report: StatusReport): Promise<void> {
  const { renderShort, renderUsage } = await import("./status/text.ts");
  renderShort(context, report);
  if (report.usage) renderUsage(context, report.usage);
}
