// The file of commands that may run without asking. A Gateway and a node host each have one; both read and change it here.

import { createHash } from "node:crypto";
import { dirname } from "node:path";

import { Fault } from "../base/fault.ts";
import { isRecord, parseJson } from "../base/json.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";

export interface AllowedCommand {
  readonly id?: string;
  /** Path of the program; `*` and `**` stand for parts of it. */
  readonly pattern: string;
  /** Only with exactly these arguments. */
  readonly args?: readonly string[];
  /** Written by other programs, in a language of theirs: an entry that has it allows nothing here. */
  readonly argPattern?: string;
  readonly lastUsedAt?: number;
  readonly lastUsedCommand?: string;
  readonly lastResolvedPath?: string;
}

interface Levels {
  readonly security?: string;
  readonly ask?: string;
  readonly askFallback?: string;
  readonly autoAllowSkills?: boolean;
}

export interface ExecApprovalsFile {
  readonly version: 1;
  readonly socket?: { readonly path?: string; readonly token?: string };
  readonly defaults?: Levels;
  readonly agents?: Readonly<Record<string, Levels & { readonly allowlist?: readonly AllowedCommand[] }>>;
}

export interface ExecApprovalsSnapshot {
  readonly path: string;
  readonly exists: boolean;
  readonly hash: string;
  /** Without the socket's token. */
  readonly file: ExecApprovalsFile;
}

export interface ExecApprovalsStore {
  /** @throws Fault `config_invalid` for a file that cannot be understood. */
  read(): Promise<ExecApprovalsSnapshot>;
  /** All of it, for decisions. @throws Fault `config_invalid` */
  load(): Promise<ExecApprovalsFile>;
  /** @throws Fault `invalid_params` when `baseHash` is missing or old, or `file` is not one. */
  replace(file: unknown, baseHash: string | undefined): Promise<ExecApprovalsSnapshot>;
  /** Changes what is there now; nothing is written when `change` returns the same object. */
  update(change: (file: ExecApprovalsFile) => ExecApprovalsFile): Promise<void>;
}

const empty: ExecApprovalsFile = { version: 1 };
const maxBytes = 1024 * 1024;
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

export function createExecApprovalsStore(path: string): ExecApprovalsStore {
  let last: Promise<unknown> = Promise.resolve();
  /** One change after the other. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task, task);
    last = result.catch(() => undefined);
    return result;
  };
  const load = async () => {
    const text = await readTextIfExists(path);
    return { text, hash: hashOf(text ?? "") };
  };
  const write = async (file: ExecApprovalsFile) => {
    const text = `${JSON.stringify(file, undefined, 2)}\n`;
    if (text.length > maxBytes)
      throw new Fault("invalid_params", "the file would be larger than 1 MiB", { field: "file" });
    await ensureFolder(dirname(path));
    await writeFileAtomic(path, text);
    return toSnapshot(path, { text, hash: hashOf(text) });
  };

  return {
    read: async () => toSnapshot(path, await load()),
    load: async () => parseFile(path, (await load()).text),
    replace: (file, baseHash) =>
      inTurn(async () => {
        const { text, hash } = await load();
        checkBase(text !== undefined, hash, baseHash);
        const parsed = parseExecApprovals(file, "file");
        return write(keepSocket(parsed, text));
      }),
    update: (change) =>
      inTurn(async () => {
        const { text } = await load();
        const file = parseFile(path, text);
        const changed = change(file);
        if (changed !== file) await write(changed);
      }),
  };
}

function checkBase(exists: boolean, hash: string, baseHash: string | undefined): void {
  if (!exists || baseHash === hash) return;
  const message =
    baseHash === undefined || baseHash === ""
      ? "exec approvals base hash required; re-run exec.approvals.get and retry"
      : "exec approvals changed since last load; re-run exec.approvals.get and retry";
  throw new Fault("invalid_params", message, { field: "baseHash", next: "read the file, then send its hash" });
}

function toSnapshot(path: string, { text, hash }: { text: string | undefined; hash: string }): ExecApprovalsSnapshot {
  const { socket, ...file } = parseFile(path, text);
  // its token is for programs on this machine
  const shown = socket?.path === undefined ? file : { ...file, socket: { path: socket.path } };
  return { path, exists: text !== undefined, hash, file: shown };
}

/** Who sets the file never saw the socket's token: it stays. */
function keepSocket(file: ExecApprovalsFile, text: string | undefined): ExecApprovalsFile {
  const old = text === undefined ? undefined : parseJson(text);
  const socket = isRecord(old) && isRecord(old["socket"]) ? old["socket"] : undefined;
  return socket ? { ...file, socket: { ...socket, ...file.socket } } : file;
}

function parseFile(path: string, text: string | undefined): ExecApprovalsFile {
  if (text === undefined || text.trim() === "") return empty;
  try {
    return parseExecApprovals(parseJson(text), path);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault("config_invalid", `${path}: ${error.message}`, { next: "mend it by hand, or remove it" });
  }
}

/** @throws Fault `invalid_params` naming what is wrong. Keys that mean nothing here stay. */
export function parseExecApprovals(value: unknown, field: string): ExecApprovalsFile {
  const wrong = (what: string) => new Fault("invalid_params", `not a file of exec approvals: ${what}`, { field });
  if (!isRecord(value) || value["version"] !== 1) throw wrong("version must be 1");
  const { defaults, agents } = value;
  if (defaults !== undefined) checkLevels(defaults, "defaults", wrong);
  if (agents !== undefined && !isRecord(agents)) throw wrong("agents must be an object");
  for (const [id, agent] of Object.entries(agents ?? {})) {
    checkLevels(agent, `agents.${id}`, wrong);
    checkAllowlist(isRecord(agent) ? agent["allowlist"] : undefined, `agents.${id}.allowlist`, wrong);
  }
  // checked just above, as far as anything here reads it
  return value as unknown as ExecApprovalsFile;
}

type Wrong = (what: string) => Fault;

function checkLevels(value: unknown, at: string, wrong: Wrong): void {
  if (!isRecord(value)) throw wrong(`${at} must be an object`);
  for (const key of ["security", "ask", "askFallback"])
    if (value[key] !== undefined && typeof value[key] !== "string") throw wrong(`${at}.${key} must be a string`);
}

function checkAllowlist(value: unknown, at: string, wrong: Wrong): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw wrong(`${at} must be an array`);
  for (const [index, entry] of value.entries()) {
    const isText = (item: unknown) => typeof item === "string";
    if (!isRecord(entry) || typeof entry["pattern"] !== "string")
      throw wrong(`${at}[${index}].pattern must be a string`);
    const { args } = entry;
    if (args !== undefined && !(Array.isArray(args) && args.every(isText)))
      throw wrong(`${at}[${index}].args must be a list of strings`);
  }
}
