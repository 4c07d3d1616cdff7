// The config file: can it be read, what is wrong in it, which of its keys are old, and what keeps a Gateway from starting with it.

import { existsSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { changeText, editText } from "../../config/edit.ts";
import { renderProblem, unknownKey, type ConfigProblem } from "../../config/explain.ts";
import { explainLegacy, migrateLegacy } from "../../config/legacy.ts";
import { migrateText } from "../../config/legacy-text.ts";
import { createPlace } from "../../config/parse.ts";
import type { SourceFile } from "../../config/write.ts";
import { setAt, unsetAt } from "../../config/path.ts";
import { isRecord } from "../../base/json.ts";
import type { DoctorCheck, DoctorFinding, Fix } from "../finding.ts";
import type { Scene } from "../scene.ts";

export function createConfigCheck(scene: Scene): DoctorCheck {
  return {
    id: "config",
    group: "config",
    label: "config",
    async run() {
      const source = await scene.source();
      if (!source.exists) return [await missing(scene)];
      return [
        ...source.problems.map((problem) => toFinding(scene, problem)),
        ...listLegacy(source).map((key) => toLegacy(scene, key)),
        ...(source.config ? checkMode(scene, source.config.gateway.mode) : []),
        ...(source.config ? checkNewer(scene, source.value ?? {}) : []),
        ...checkName(scene),
      ];
    },
  };
}

/** Beside other problems too: those that cannot be moved are among the problems then. */
function listLegacy({ text, value, legacy, problems }: SourceFile): readonly ConfigProblem[] {
  if (problems.length === 0 || text === undefined || value === undefined) return legacy;
  return explainLegacy({ ...migrateLegacy(value), conflicts: [] }, createPlace(text));
}

async function missing({ paths, command }: Scene): Promise<DoctorFinding> {
  const id = "config.missing";
  const target = await readlink(paths.config).catch(() => undefined);
  if (target !== undefined) {
    // a disk that is not mounted, a checkout that was moved: what is meant is somewhere
    const message = `the config ${paths.config} is a link to ${target}, and nothing is there`;
    return { id, severity: "error", message, next: `bring that back, or rm ${paths.config} and ${command("setup")}` };
  }
  return { id, severity: "warning", message: `there is no config yet: ${paths.config}`, next: command("setup") };
}

function toFinding({ paths }: Scene, problem: ConfigProblem): DoctorFinding {
  const isUnknown = problem.message === unknownKey;
  return {
    id: isUnknown ? "config.unknown-key" : "config.error",
    severity: "error",
    message: renderProblem(paths.config, { ...problem, next: "" }).replace(/; $/u, ""),
    next: problem.next,
    ...(isUnknown && problem.file === undefined ? { fix: removal(problem.path) } : {}),
  };
}

/** What it holds is gone from the file then: its owner may have meant another key. */
function removal(path: string): Fix {
  return {
    title: `take the unknown key ${path} out of the config`,
    risk: "forced",
    steps: async () => [
      {
        kind: "config",
        change(text, value) {
          const to = unsetAt(value, path.split("."));
          return isRecord(to) ? editText(text, value, to).text : undefined;
        },
      },
    ],
  };
}

function toLegacy({ paths }: Scene, key: ConfigProblem): DoctorFinding {
  const isOwn = key.file === undefined && key.next.startsWith("doctor --fix");
  return {
    id: "config.legacy",
    severity: "warning",
    message: renderProblem(paths.config, { ...key, next: "" }).replace(/; $/u, ""),
    next: isOwn ? "doctor --fix moves it" : key.file === undefined ? key.next : "move it by hand in that file",
    ...(isOwn ? { fix: migration } : {}),
  };
}

/** All of them at once: the object is the same for every finding, so it is done once. */
const migration: Fix = {
  title: "move the keys of older programs to their places",
  risk: "safe",
  steps: async () => [{ kind: "config", change: (text, value) => migrateText(text, value).text }],
};

function checkMode({ command, paths }: Scene, mode: string | undefined): DoctorFinding[] {
  if (mode !== undefined) return [];
  return [
    {
      id: "config.mode",
      severity: "error",
      message: `gateway.mode is not set in ${paths.config}: a Gateway does not start with it`,
      next: command("config set gateway.mode local"),
      fix: {
        title: "set gateway.mode to local",
        risk: "asked",
        steps: async () => [
          {
            kind: "config",
            change: (text, value) => changeText(text, value, setAt(value, ["gateway", "mode"], "local")),
          },
        ],
      },
    },
  ];
}

/** Programs stamp the files they write: a newer one may have written what this one does not know. */
function checkNewer({ version }: Scene, value: Record<string, unknown>): DoctorFinding[] {
  const meta = value["meta"];
  const touched = isRecord(meta) ? meta["lastTouchedVersion"] : undefined;
  if (typeof touched !== "string" || !isNewer(touched, version)) return [];
  return [
    {
      id: "config.newer",
      severity: "warning",
      message: `the config was last written by version ${touched}, this is ${version}`,
      next: "use the newer program, or look over what it has written",
    },
  ];
}

/** Numbers with dots; anything else is not compared. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => (/^\d+(?:\.\d+)+/u.exec(text)?.[0] ?? "").split(".").map(Number));
  if (!a || !b || a.length < 2 || b.length < 2) return false;
  const at = a.findIndex((part, index) => part !== (b[index] ?? 0));
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}

/** A file of another name is used in place; nobody renames it but its owner. */
function checkName({ paths, brand, env }: Scene): DoctorFinding[] {
  if (env.get("CONFIG_PATH") !== undefined) return [];
  const folder = dirname(paths.config);
  const names = [brand.configFile, ...brand.fallbackConfigFiles];
  const used = basename(paths.config);
  const unused = names.map((name) => join(folder, name)).filter((path) => path !== paths.config && existsSync(path));
  const found = unused.map((path): DoctorFinding => ({
    id: "config.second",
    severity: "warning",
    message: `${path} counts for nothing: ${used} beside it goes first`,
    next: "remove the one that nobody needs",
  }));
  if (used === brand.configFile || !names.includes(used)) return found;
  const to = join(folder, brand.configFile);
  return [
    ...found,
    {
      id: "config.name",
      severity: "info",
      message: `the config in use has another name than ${brand.configFile}: ${paths.config}`,
      next: "nothing needs it; doctor --fix --force renames it",
      fix: {
        title: `rename it to ${brand.configFile}`,
        risk: "forced",
        steps: async () => [{ kind: "move", from: paths.config, to }],
      },
    },
  ];
}
