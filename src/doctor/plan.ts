// What a fix would do, shown before anybody says yes. Changes of the config build on each other and are written as one.

import { isDeepStrictEqual } from "node:util";

import { redactedText } from "../config/answer.ts";
import { listChanges } from "../config/merge.ts";
import { parseSource } from "../config/parse.ts";
import { createSecretPaths } from "../config/secret-paths.ts";
import type { SourceFile } from "../config/write.ts";
import { diffLines } from "./diff.ts";
import type { Found } from "./doctor.ts";
import type { Fix, Step } from "./finding.ts";
import { octal } from "./octal.ts";

export interface PlannedFix {
  readonly found: Found;
  readonly fix: Fix;
  readonly steps: readonly Step[];
  /** For people: a diff of texts, modes and places. Secrets are masked. */
  readonly lines: readonly string[];
  /** The config's text with it. */
  readonly config: string | undefined;
}

export interface Planner {
  /** undefined when there is nothing left to do. */
  plan(found: Found, fix: Fix): Promise<PlannedFix | undefined>;
  /** It will be done: what is planned from now on builds on it. */
  accept(planned: PlannedFix): void;
  accepted(): readonly PlannedFix[];
  /** The config's text with all that was accepted; undefined when it stays. */
  config(): string | undefined;
}

export function createPlanner(source: SourceFile): Planner {
  const accepted: PlannedFix[] = [];
  let text = source.text;
  return {
    async plan(found, fix) {
      const steps = await fix.steps();
      let config = text;
      for (const step of steps) if (step.kind === "config") config = change(config, step.change);
      const isConfigSame = config === text;
      const left = steps.filter((step) => step.kind !== "config" || !isConfigSame);
      if (left.length === 0) return undefined;
      // moved and changed at once, it could not be put back piece by piece
      const movesConfig = left.some((step) => step.kind === "move") && text !== source.text;
      if (movesConfig) return undefined;
      const lines = left.flatMap((step) =>
        step.kind === "config" ? diffConfig(text ?? "", config ?? "") : describeStep(step),
      );
      return { found, fix, steps: left, lines, config: isConfigSame ? undefined : config };
    },
    accept(planned) {
      accepted.push(planned);
      text = planned.config ?? text;
    },
    accepted: () => accepted,
    config: () => (text === source.text ? undefined : text),
  };
}

type Change = Extract<Step, { kind: "config" }>["change"];

function change(text: string | undefined, how: Change): string | undefined {
  if (text === undefined) return undefined;
  const source = parseSource(text);
  return "value" in source ? (how(text, source.value) ?? text) : text;
}

/** Where a remark may hold a secret only the keys are named. */
function diffConfig(before: string, after: string): string[] {
  const secrets = createSecretPaths();
  const read = (text: string) => {
    const source = parseSource(text);
    const value = "value" in source ? source.value : undefined;
    return { value, shown: redactedText({ text, value }, secrets) };
  };
  const [from, to] = [read(before), read(after)];
  if (from.shown !== null && to.shown !== null && from.shown !== to.shown) return diffLines(from.shown, to.shown);
  const keys = isDeepStrictEqual(from.value, to.value) ? [] : listChanges(from.value, to.value);
  return keys.map((path) => `~ ${path.join(".")}`);
}

function describeStep(step: Exclude<Step, { kind: "config" }>): readonly string[] {
  switch (step.kind) {
    case "mode":
      return [`- ${octal(step.before)} ${step.path}`, `+ ${octal(step.after)} ${step.path}`];
    case "remove":
      return [`- ${step.path}`];
    case "move":
      return [`- ${step.from}`, `+ ${step.to}`];
    case "write":
      return step.isSecret ? [`+ ${step.path} (a secret)`] : [step.path, ...diffLines(step.before ?? "", step.after)];
    case "act":
      return step.lines;
  }
}
