// The config in use. A file with errors never replaces a working config: the last good one stays, also over a restart (R9).
// A reader that fails to parse never writes.

import { createHash } from "node:crypto";

import { Fault } from "../base/fault.ts";
import type { Config } from "../settings/config.ts";
import { evaluateText, legacyOf, problemsOf, type ConfigFiles } from "./evaluate.ts";
import { renderProblem, type ConfigProblem } from "./explain.ts";
import { contentId, type ConfigContent } from "./history.ts";
import { defaultConfig } from "./parse.ts";
import { readConfigFile } from "./read.ts";
import { firmGround, standIn, type Ladder, type StandIn } from "./stand-in.ts";

export interface ConfigSnapshot {
  readonly path: string;
  readonly exists: boolean;
  readonly isValid: boolean;
  readonly problems: readonly ConfigProblem[];
  /** The same as lines for people. */
  readonly rendered: readonly string[];
  /** Keys of older programs in it, which are read in their new places. */
  readonly legacy: readonly ConfigProblem[];
  /** What is in order and still has to be known: a file that did not start. */
  readonly warnings: readonly ConfigProblem[];
  /** SHA-256 of the file's text, hex; undefined when there is no file. */
  readonly hash: string | undefined;
  /** Files that it includes, or takes a secret from, or tries to. */
  readonly parts: readonly string[];
  /** Changes when one of them does. */
  readonly partsHash: string;
  /** Where the config in use comes from; `safe`: nothing of it may do more than serve those who mend it. */
  readonly source: ConfigSource;
  readonly config: Config;
}

export type ConfigSource = "file" | "last-good" | "defaults" | "safe";

export interface ConfigStore {
  readonly files: ConfigFiles;
  current(): Config;
  snapshot(): ConfigSnapshot;
  /**
   * Reads the file again. With errors in it, or when it is gone, the config in use stays and the snapshot tells them. The same
   * text gives the same snapshot. `isWanted` false: the file is in order, and the config in use stays all the same.
   */
  reload(isWanted?: (config: Config) => boolean): Promise<ConfigSnapshot>;
  /** The content that is in use, as the history names it; undefined for defaults and the safe config. */
  id(): string | undefined;
  /**
   * Puts the file into the history as one that works; does nothing when it is not in use.
   * @throws Fault `storage` when it cannot be written.
   */
  keepGood(): Promise<void>;
}

export type { ConfigFiles } from "./evaluate.ts";

/**
 * Reads the file; a missing one means the defaults. `ladder`: what stands in for a file that cannot be used, down to the safe
 * config; absent: the last good one alone.
 * @throws Fault `config_invalid` listing `file:line:column key: problem; fix` when nothing can.
 */
export async function openConfig(files: ConfigFiles, ladder?: Ladder): Promise<ConfigStore> {
  const steps: Steps = { files, ladder: ladder ?? firmGround };
  let loaded = await open(steps, ladder !== undefined);
  return {
    files,
    current: () => loaded.snapshot.config,
    snapshot: () => loaded.snapshot,
    id: () => loaded.id,
    async reload(isWanted = () => true) {
      const before = loaded;
      const after = await load(steps, before.snapshot);
      if (after === undefined) return before.snapshot;
      const isUsable = after.snapshot.source === "file";
      loaded = isUsable && isWanted(after.snapshot.config) ? after : keepBefore(before, after, isUsable);
      return loaded.snapshot;
    },
    async keepGood() {
      const { content, snapshot } = loaded;
      if (content && snapshot.source === "file") await files.history?.keep(content, true);
    },
  };
}

interface Steps {
  readonly files: ConfigFiles;
  readonly ladder: Ladder;
}

interface Loaded {
  readonly snapshot: ConfigSnapshot;
  readonly id: string | undefined;
  readonly content: ConfigContent | undefined;
  /** What the file says, where it is doubted and yet better than nothing. */
  readonly doubted?: Config;
}

async function open(steps: Steps, mayBeSafe: boolean): Promise<Loaded> {
  const { files, ladder } = steps;
  const first = await load(steps, undefined);
  if (!first) throw new Error("there is nothing that it could be the same as");
  const { snapshot, content } = first;
  if (snapshot.source !== "last-good") return first;
  const found = await standIn(files, { text: content?.text, ladder });
  if (found.source === "safe" && first.doubted) {
    return { ...first, snapshot: { ...snapshot, source: "file", config: first.doubted } };
  }
  if (!mayBeSafe && found.source === "safe") throw invalid(snapshot);
  return withStandIn(first, found);
}

function keepBefore({ snapshot, id, content }: Loaded, after: Loaded, isUsable: boolean): Loaded {
  const { config } = snapshot;
  const source = snapshot.source === "file" && !isUsable ? "last-good" : snapshot.source;
  return { snapshot: { ...after.snapshot, source, config }, id, content };
}

function withStandIn({ snapshot, content }: Loaded, { source, config, id }: StandIn): Loaded {
  return { snapshot: { ...snapshot, source, config }, id, content };
}

/** undefined: nothing has changed. `last-good` in what comes out: the file cannot be used, and something else stands in. */
async function load({ files, ladder }: Steps, before: ConfigSnapshot | undefined): Promise<Loaded | undefined> {
  const { path } = files;
  const file = await readConfigFile(path);
  if (file === undefined) return withoutFile(path, before);
  const { text } = file;
  /** Whatever stands in comes in its place. */
  const unusable = () => ({ source: "last-good" as const, config: before?.config ?? defaultConfig() });
  const known = { path, exists: true, warnings: [], legacy: [] };
  if (text === undefined) {
    const told = tell(path, [file.problem]);
    const snapshot = { ...known, ...unusable(), ...told, ...noParts, hash: undefined };
    return { snapshot, id: undefined, content: undefined };
  }
  const hash = hashText(text);
  const { parsed, warnings, parts, secretFiles, partsHash, content } = await evaluateText(text, files);
  if (before?.hash === hash && before.partsHash === partsHash) return undefined;
  const told = tell(path, problemsOf(parsed));
  const watched = [...parts, ...secretFiles];
  const snapshot = { ...known, ...told, warnings, legacy: legacyOf(parsed), hash, parts: watched, partsHash };
  if ("problems" in parsed) return { snapshot: { ...snapshot, ...unusable() }, id: undefined, content };
  const id = contentId(content);
  const distrust = ladder.distrust(id, "file");
  if (distrust !== undefined) {
    const doubted = distrust.isCertain ? {} : { doubted: parsed.config };
    return {
      snapshot: { ...snapshot, ...unusable(), warnings: [wholeFile(distrust.reason)] },
      id,
      content,
      ...doubted,
    };
  }
  return { snapshot: { ...snapshot, source: "file", config: parsed.config }, id, content };
}

function tell(path: string, problems: readonly ConfigProblem[]) {
  const rendered = problems.map((problem) => renderProblem(path, problem));
  return { isValid: problems.length === 0, problems, rendered };
}

const noParts = { parts: [], partsHash: "" } as const;

/** A file that was there: somebody is about to put another in its place, or made a mistake. Neither is a wish for the defaults. */
function withoutFile(path: string, before: ConfigSnapshot | undefined): Loaded | undefined {
  if (before?.exists === false) return undefined;
  const nothing = { path, ...noParts, hash: undefined, warnings: [], legacy: [] };
  if (!before) {
    const snapshot = { ...nothing, ...tell(path, []), exists: false, source: "defaults" as const };
    return { snapshot: { ...snapshot, config: defaultConfig() }, id: undefined, content: undefined };
  }
  const next = "put it back (config rollback does), or write {} into it for the defaults";
  const told = tell(path, [{ path: "", line: 1, column: 1, message: "the file is gone", next }]);
  const snapshot = { ...nothing, ...told, exists: true, source: before.source, config: before.config };
  return { snapshot, id: undefined, content: undefined };
}

const wholeFile = (message: string): ConfigProblem => ({
  path: "",
  line: 1,
  column: 1,
  message,
  next: "mend the file, or restart the Gateway to try it once more",
});

export const hashText = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The Fault for who cannot work with a config that has errors. */
export function invalid({ problems, rendered }: Pick<ConfigSnapshot, "problems" | "rendered">): Fault {
  return new Fault("config_invalid", `the config has errors:\n  ${rendered.join("\n  ")}`, {
    ...(problems[0]?.path ? { field: problems[0].path } : {}),
    next: "mend the file at the places named",
  });
}
