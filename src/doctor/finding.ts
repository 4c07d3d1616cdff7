// What doctor finds, and what can be done about it. A fix says beforehand what it will touch: nothing is changed without a restore
// point that holds all of it (R34).

import type { AllowedSender, ImportedSession } from "../conversation/import.ts";
import type { Check, Finding } from "../ports/check.ts";

/** In the order in which they are shown. */
export const groups = [
  "config",
  "files",
  "access",
  "ports",
  "service",
  "channels",
  "storage",
  "instances",
  "machine",
  "older",
] as const;
export type Group = (typeof groups)[number];

export interface DoctorFinding extends Finding {
  readonly fix?: Fix;
}

export interface DoctorCheck extends Check {
  readonly group: Group;
  /** What is looked at, for people who wait. */
  readonly label: string;
  /** Reads with SQLite, for seconds perhaps, and nothing else of this process goes on meanwhile. */
  readonly isBlocking?: boolean;
  run(): Promise<readonly DoctorFinding[]>;
}

/**
 * `safe`: nobody can have wanted it otherwise, and nothing is lost. `asked`: its owner says yes first. `forced`: something its
 * owner wrote is taken away; only with --force.
 */
export type Risk = "safe" | "asked" | "forced";

export interface Fix {
  /** What is done, as an order: "close it to others". */
  readonly title: string;
  readonly risk: Risk;
  /** Looked at when it is about to be shown; empty when there is nothing to do any more. */
  steps(): Promise<readonly Step[]>;
}

export type Step =
  /** The text of the config file anew; undefined leaves it. All of a run are written at once. */
  | { readonly kind: "config"; readonly change: (text: string, value: Record<string, unknown>) => string | undefined }
  | { readonly kind: "mode"; readonly path: string; readonly before: number; readonly after: number }
  | {
      readonly kind: "write";
      readonly path: string;
      /** undefined: there is no file yet. */
      readonly before: string | undefined;
      readonly after: string;
      /** Its text is shown to nobody. */
      readonly isSecret: boolean;
    }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  | Act;

/** What files alone cannot say. */
export interface Act {
  readonly kind: "act";
  /** For people: what happens. */
  readonly lines: readonly string[];
  /** Files that it may change. */
  readonly touches: readonly string[];
  /** Rows that it adds to the database, so that undo can take them out. */
  readonly adds?: Added;
  /** What undo leaves to its owner. */
  readonly undoHint?: string;
  /** @returns what its owner should know. */
  run(): Promise<readonly string[]>;
}

/** Known before it is done, so that the restore point can hold it. */
export type Added = { readonly senders: readonly AllowedSender[] } | { readonly sessions: readonly ImportedSession[] };
