// The list in a backup of what is in it. It is read from a file that anybody may have made: nothing in it is believed unchecked.

import { Fault } from "../base/fault.ts";
import { isRecord, parseJson } from "../base/json.ts";

/** Raised when a reader of before could not restore what is written now. Older ones stay readable. */
export const formatVersion = 1;
export const manifestPath = "manifest.json";
/** A million files or so. */
export const maxManifestBytes = 256 * 1024 * 1024;

export interface ManifestFile {
  /** In the archive. */
  readonly path: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** A database, which is looked into as well. */
  readonly isDatabase?: boolean;
}

export interface ManifestWorkspace {
  readonly path: string;
  /** The one that an installation has without being told. */
  readonly isDefault: boolean;
}

export interface Manifest {
  readonly format: "gateway-backup";
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly product: { readonly name: string; readonly version: string };
  readonly profile: string | null;
  readonly scope: "all" | "config";
  /** Name of the main config file below `config/`; null when there was none. */
  readonly config: string | null;
  /** Where the folders `workspace/0`, `workspace/1` … were. */
  readonly workspaces: readonly ManifestWorkspace[];
  readonly files: readonly ManifestFile[];
  /** What was there and is not in the backup, because it is a link or no file. */
  readonly skipped: readonly string[];
}

export const renderManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, undefined, 1)}\n`;

/** @throws Fault `invalid_params` for what is no list, or one of a newer program. */
export function parseManifest(text: string): Manifest {
  const value = parseJson(text);
  if (!isRecord(value) || value["format"] !== "gateway-backup") throw unusable("its list cannot be read");
  checkVersion(value["version"]);
  if (!isManifest(value)) throw unusable("its list is not complete");
  return value;
}

/** @throws Fault `invalid_params`. */
export function checkVersion(version: unknown): void {
  if (typeof version === "number" && version > formatVersion)
    throw new Fault(
      "invalid_params",
      `the backup was made by a newer program (format ${version}, known up to ${formatVersion})`,
      {
        next: "update this program first",
      },
    );
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1)
    throw unusable("its format is not known");
}

function isManifest(value: Record<string, unknown>): value is Record<string, unknown> & Manifest {
  const { createdAt, product, profile, scope, config, workspaces, files, skipped } = value;
  return (
    Number.isSafeInteger(createdAt) &&
    isRecord(product) &&
    typeof product["name"] === "string" &&
    typeof product["version"] === "string" &&
    isTextOrNull(profile) &&
    (scope === "all" || scope === "config") &&
    isTextOrNull(config) &&
    isListOf(workspaces, isWorkspace) &&
    isListOf(skipped, (item) => typeof item === "string") &&
    isListOf(files, isFile)
  );
}

const isTextOrNull = (value: unknown) => value === null || typeof value === "string";
const isListOf = (value: unknown, check: (item: unknown) => boolean) => Array.isArray(value) && value.every(check);
const isWorkspace = (value: unknown) =>
  isRecord(value) && typeof value["path"] === "string" && typeof value["isDefault"] === "boolean";

function isFile(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value["path"] === "string" &&
    Number.isSafeInteger(value["size"]) &&
    typeof value["sha256"] === "string" &&
    /^[0-9a-f]{64}$/u.test(value["sha256"])
  );
}

function unusable(why: string): Fault {
  return new Fault("invalid_params", `this is no backup that can be used: ${why}`, { next: "take another backup" });
}

/** Roots of what a backup holds; below each, relative paths without surprises. */
const rootPattern = /^(?:state|config|workspace\/\d{1,4})\/./u;

/**
 * True for a path that a backup may hold: below one of its roots, with `/`, and with no part that leads elsewhere on any system.
 */
export function isSafePath(path: string): boolean {
  if (!rootPattern.test(path) || path.length > 4_096) return false;
  if (/[\\\0]|^[A-Za-z]:/u.test(path) || !path.isWellFormed()) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
