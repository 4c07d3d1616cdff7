// Going back to a version of the config: which one, what would change, and the change itself through the one writer. It works on a
// file that is broken or gone, and with no Gateway about (R9).

import { Fault } from "../base/fault.ts";
import { evaluateContent, problemsOf, type ConfigFiles, type Evaluated } from "./evaluate.ts";
import { contentId, type ConfigContent, type ConfigVersion } from "./history.ts";
import { renderProblem } from "./explain.ts";
import { listChanges } from "./merge.ts";
import { readAt } from "./path.ts";
import { createSecretPaths, redactConfig } from "./secret-paths.ts";
import { placeholder } from "./substitute.ts";
import type { SourceFile } from "./write.ts";

export interface Target {
  readonly version: ConfigVersion;
  readonly content: ConfigContent;
  readonly evaluated: Evaluated;
}

/** A key in which two configs differ, with nothing secret in it. */
export interface Difference {
  readonly path: string;
  /** undefined: the key is not there. */
  readonly from: unknown;
  readonly to: unknown;
  /** The values stay hidden; both sides may look the same. */
  readonly isSecret: boolean;
}

/**
 * `id`: the version that is wanted, or its beginning; absent: the newest good one that differs from the file and is still in
 * order, else the newest that was replaced.
 * @throws Fault `not_found` when there is none, `usage` when several begin so.
 */
export async function findTarget(files: ConfigFiles, source: SourceFile, id?: string): Promise<Target> {
  const { history } = files;
  const versions = (await history?.list()) ?? [];
  const wanted = id === undefined ? sortForReturn(versions, source) : [pick(versions, id)];
  for (const version of wanted) {
    const content = await history?.read(version);
    if (!content) continue;
    const evaluated = await evaluateContent(content, files);
    if (id !== undefined || "config" in evaluated.parsed) return { version, content, evaluated };
  }
  const which =
    id === undefined ? "there is no earlier version of the config to go back to" : `version ${id} is damaged`;
  throw new Fault("not_found", which, { next: "config history lists those that are kept" });
}

function sortForReturn(versions: readonly ConfigVersion[], { content }: SourceFile): readonly ConfigVersion[] {
  const present = content && contentId(content);
  const others = versions.filter(({ id }) => id !== present);
  return [...others.filter(({ isGood }) => isGood), ...others.filter(({ isGood }) => !isGood)];
}

function pick(versions: readonly ConfigVersion[], id: string): ConfigVersion {
  const found = versions.filter((version) => version.id.startsWith(id.toLowerCase()));
  const [version] = found;
  if (version && found.length === 1) return version;
  const next = "config history lists those that are kept";
  if (!version) throw new Fault("not_found", `there is no version ${id} of the config`, { field: "id", next });
  throw new Fault("usage", `several versions begin with ${id}`, { field: "id", next: "write more of it" });
}

/** Keys in which the file and the version differ; undefined where one of them cannot be parsed. */
export function listDifferences(from: SourceFile["whole"], to: Evaluated["whole"]): readonly Difference[] | undefined {
  if (from === undefined || to === undefined) return undefined;
  const secrets = createSecretPaths();
  return listChanges(from, to).map((path) => {
    const [before, after] = [readAt(from, path), readAt(to, path)].map((value) => redactConfig(value, secrets, path));
    const isSecret = [before, after].some((value) => JSON.stringify(value)?.includes(placeholder) === true);
    return { path: path.join("."), from: before, to: after, isSecret };
  });
}

/**
 * What a writer writes to go back: the version, if the file is still `source`. What was in the file becomes a version itself.
 * @throws Fault `invalid_params` when the version has errors and is not forced; what is returned throws it when the file was changed
 * meanwhile.
 */
export function returnTo(
  { content, version, evaluated }: Target,
  { source, path, isForced = false }: { source: SourceFile; path: string; isForced?: boolean },
): (now: SourceFile) => ConfigContent {
  const problems = problemsOf(evaluated.parsed);
  if (problems.length > 0 && !isForced) {
    const lines = problems.map((problem) => renderProblem(path, problem));
    throw new Fault("invalid_params", `version ${version.id} has errors itself:\n  ${lines.join("\n  ")}`, {
      next: "choose another one, or put it back on its machine by config rollback --force, and mend it there",
    });
  }
  return (now) => {
    if (now.hash === source.hash && contentOf(now) === contentOf(source)) return content;
    throw new Fault("invalid_params", "the config was changed meanwhile", { next: "look at it, and try again" });
  };
}

const contentOf = ({ content }: SourceFile) => content && contentId(content);
