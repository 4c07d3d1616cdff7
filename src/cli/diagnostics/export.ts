// `gateway diagnostics export`: one file that shows others how this instance is. With the Gateway up or down, offline, with a config
// that has errors: what cannot be found out is told in it.

import { homedir } from "node:os";
import { dirname } from "node:path";

import { Fault } from "../../base/fault.ts";
import { makeBundle, type Bundle } from "../../diagnostics/bundle.ts";
import { createScrub } from "../../diagnostics/scrub.ts";
import { renderSummary } from "../../diagnostics/summary.ts";
import { readWords } from "../../diagnostics/words.ts";
import { renderZip } from "../../diagnostics/zip.ts";
import { expandHome } from "../../platform/paths.ts";
import type { Config } from "../../settings/config.ts";
import { renderSize } from "../render/size.ts";
import type { Invocation, Run } from "../commands.ts";
import { parseCount } from "../count.ts";
import { findGateway, parseTimeout, readConfig, type GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";
import { createConfigCollectors } from "./config-side.ts";
import { createContentCollectors } from "./content-side.ts";
import { createGatewayCollectors } from "./gateway-side.ts";
import { findKnown } from "./known.ts";
import { createMachineCollectors } from "./machine-side.ts";
import { saveBundle } from "./save.ts";
import type { Scope } from "./scope.ts";

/** For each collector: all of them together take little more. */
const collectMs = 10_000;

export const run: Run = async (context, { options, args }) => {
  const [action = "export"] = args;
  if (action !== "export")
    throw new Fault("usage", `unknown: ${action}`, { next: context.command("gateway diagnostics export") });
  const scope = await openScope(context, options);
  const bundle = await collect(scope, options["stabilityBundle"] !== false);
  const zip = renderZip(bundle.entries, context.clock.now());
  const output = typeof options["output"] === "string" ? options["output"] : undefined;
  const path = await saveBundle(context, { zip, output });
  tell(context, { path, bytes: zip.length, bundle });
  return 0;
};

async function openScope(context: Context, options: Invocation["options"]): Promise<Scope> {
  const numbers = {
    hours: parseCount(options["hours"], { fallback: 24, most: 336, field: "--hours" }),
    logLines: parseCount(options["logLines"], { fallback: 5_000, most: 100_000, field: "--log-lines" }),
    logBytes: parseCount(options["logBytes"], { fallback: 1_000_000, most: 20_000_000, field: "--log-bytes" }),
    askMs: parseTimeout(options["timeout"] as string | undefined, 3_000),
  };
  const loaded = await readConfig(context);
  const { config } = loaded;
  return { context, given: { config, loaded, target: await findTarget(context, config) }, ...numbers };
}

/** A secret that cannot be used is something for the bundle to tell, not a reason to have none. */
async function findTarget(context: Context, config: Config): Promise<GatewayTarget> {
  try {
    return await findGateway(context, config);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { url: "ws://127.0.0.1:1", source: `unknown: ${error.message}`, port: undefined, secret: undefined };
  }
}

async function collect(scope: Scope, hasTimeline: boolean): Promise<Bundle> {
  const { context, given, hours } = scope;
  const { brand, version, clock } = context;
  const words = await readWords();
  const known = await findKnown(context, given.config, words);
  const scrub = createScrub({ words, ...known, places: placesOf(scope) });
  const all = [
    ...createMachineCollectors(scope),
    ...createGatewayCollectors(scope),
    ...createConfigCollectors(scope),
    ...createContentCollectors(scope),
  ];
  return makeBundle({
    product: { name: brand.name, version },
    clock,
    scrub,
    collectors: all.filter(({ file }) => hasTimeline || !file.startsWith("timeline/")),
    timeoutMs: Math.max(collectMs, 2 * scope.askMs),
    hours,
    leftOut: [...known.missing, ...(hasTimeline ? [] : ["the timeline, which was not asked for"])],
    isClean: (text) => known.certain === undefined || text.search(known.certain) === -1,
    summarize: renderSummary,
  });
}

function placesOf({ context, given }: Scope): readonly (readonly [string, string])[] {
  const { paths } = context;
  const { workspace } = given.config.agents.defaults;
  const program = process.argv[1];
  return [
    [paths.state, "state"],
    [paths.config, "config"],
    [paths.logs, "logs"],
    [workspace === undefined ? paths.workspace : expandHome(workspace, paths.home), "workspace"],
    [paths.home, "home"],
    [homedir(), "home"],
    [process.execPath, "node"],
    ...(program === undefined ? [] : [[dirname(dirname(program)), "program"] as const]),
  ];
}

interface Told {
  readonly path: string;
  readonly bytes: number;
  readonly bundle: Bundle;
}

function tell({ out, flags }: Context, { path, bytes, bundle }: Told): void {
  const { manifest } = bundle;
  if (flags.json === true) {
    out.json({ path, bytes, manifest });
    return;
  }
  out.line(`${path} (${renderSize(bytes)}), readable by you alone`);
  out.line();
  out.line("In it:");
  out.line("  summary.md: read this first");
  for (const { file, label } of manifest.files) out.line(`  ${file}: ${label}`);
  if (manifest.failed.length > 0) out.line("\nCould not be had:");
  for (const { label, reason } of manifest.failed) out.line(`  ${label}: ${reason}`);
  out.line("\nLeft out:");
  for (const what of manifest.leftOut) out.line(`  ${what}`);
  out.line(`\n${out.style("bold", "Look through it before you share it:")}`);
  for (const what of manifest.checkBeforeSharing) out.line(`  ${what}`);
}
