// The config without its secrets and without texts of its owner, and how it came to be what it is: which keys changed when, and what
// came of it.

import { isRecord, parseJson } from "../../base/json.ts";
import { evaluateContent, evaluateText } from "../../config/evaluate.ts";
import { renderProblem } from "../../config/explain.ts";
import type { ConfigVersion } from "../../config/history.ts";
import { listChanges } from "../../config/merge.ts";
import { createSecretPaths, redactConfig } from "../../config/secret-paths.ts";
import type { Collector } from "../../diagnostics/bundle.ts";
import { files } from "../../diagnostics/files.ts";
import { readTextIfExists } from "../../platform/files.ts";
import { configFiles } from "../config-files.ts";
import type { Scope } from "./scope.ts";

const maxVersions = 50;
const maxPaths = 40;

export function createConfigCollectors(scope: Scope): readonly Collector[] {
  return [
    { file: files.config, label: "config without secrets and texts", run: () => collectConfig(scope) },
    { file: files.configTimeline, label: "timeline of the config", run: () => collectTimeline(scope) },
  ];
}

async function collectConfig({ context, given }: Scope) {
  const { path, variable } = configFiles(context);
  const text = await readTextIfExists(path);
  if (text === undefined)
    return { value: { exists: false, valid: true, problems: [] }, leftOut: ["there is no config file"] };
  const { whole, parsed, warnings, parts } = await evaluateText(text, { path, variable });
  const problems = "problems" in parsed ? parsed.problems : [];
  return {
    value: {
      exists: true,
      valid: problems.length === 0,
      source: given.loaded.snapshot?.source ?? "stands in for the file",
      bytes: Buffer.byteLength(text),
      includedFilesCount: parts.length,
      problems: problems.map((problem) => renderProblem(path, problem)),
      warnings: warnings.map((warning) => renderProblem(path, warning)),
      file: whole === undefined ? null : redactConfig(whole, createSecretPaths()),
    },
    leftOut: whole === undefined ? ["what the config file says: it cannot be parsed"] : [],
  };
}

interface VersionChange {
  readonly id: string;
  readonly at: number;
  readonly isGood: boolean;
  readonly bytes: number;
  /** Keys that differ from the version before; null where one of both cannot be read. */
  readonly paths: readonly string[] | null;
  readonly pathsCount: number;
}

async function collectTimeline({ context }: Scope) {
  const { history, path, variable } = configFiles(context);
  const versions = (await history.list()).slice(0, maxVersions);
  const read = async (version: ConfigVersion) => {
    const content = await history.read(version);
    return content && (await evaluateContent(content, { path, variable })).whole;
  };
  const values = await Promise.all(versions.map(read));
  const changes = versions.map(({ id, at, isGood, bytes }, index): VersionChange => {
    const [own, older] = [values[index], values[index + 1]];
    const paths = own && older ? listChanges(older, own).map((keys) => keys.join(".")) : null;
    return { id, at, isGood, bytes, paths: paths?.slice(0, maxPaths) ?? null, pathsCount: paths?.length ?? 0 };
  });
  const starts = parseJson((await readTextIfExists(context.paths.starts)) ?? "");
  return {
    value: {
      // newest first; what came of each that was taken up is on the timeline of the Gateway
      versions: changes,
      /** Starts that did not end well, by which the next one steps down. */
      ladder: isRecord(starts) ? { failed: starts["failed"] ?? [], starting: starts["starting"] ?? null } : null,
    },
    leftOut: ["values of the config's versions: only which keys differ"],
  };
}
