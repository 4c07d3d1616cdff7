// `config.*`: the file over the wire. Who writes must have read: a change is refused when the file is not the one that it was
// made from.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { ellipsize } from "../base/text.ts";
import type { MethodParams, MethodResult } from "../protocol/contract.ts";
import type { HandlersOf } from "../ports/method.ts";
import { redactedConfig, redactedText } from "./answer.ts";
import { editText, renderText } from "./edit.ts";
import { applyMergePatch, listChanges, listRestartKeys } from "./merge.ts";
import { parseSource } from "./parse.ts";
import { createSecretPaths, redactConfig, restoreSecrets } from "./secret-paths.ts";
import type { ConfigStore } from "./store.ts";
import { createConfigWriter, toIssue, type ConfigWriter, type SourceFile } from "./write.ts";

type Names = "config.get" | "config.schema" | "config.set" | "config.patch" | "config.apply";
type Restart = NonNullable<MethodResult<"config.patch">["restart"]>;

export interface ConfigMethodDependencies {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Asks for a start anew, `delayMs` from now. Absent: nobody can do that but a person. */
  readonly restart?: (request: { readonly reason: string; readonly delayMs: number }) => Restart;
}

const defaultDelayMs = 2_000;
const maxDelayMs = 60_000;
const maxReasonLength = 300;

export function createConfigHandlers(dependencies: ConfigMethodDependencies): HandlersOf<Names> {
  const { store, clock, version } = dependencies;
  const writer = createConfigWriter({ files: store.files, clock });
  let shown: { readonly source: SourceFile; readonly answer: MethodResult<"config.get"> } | undefined;
  const changeFile = createChange(dependencies, writer);
  const applyRestart = (
    change: Change,
    { restartDelayMs = defaultDelayMs }: { restartDelayMs?: number },
  ): MethodResult<"config.patch"> => {
    const { isNoop, ...result } = change;
    if (isNoop) return { ...result, noop: true, sentinel: null };
    const isNeeded = result.restartPaths.length > 0;
    const no = (reason: string): Restart => ({ ok: false, pid: process.pid, delayMs: 0, reason });
    const ask = dependencies.restart ?? (() => no("stop the Gateway and start it again"));
    const restart = isNeeded
      ? ask({
          reason: ellipsize(`config changed: ${result.restartPaths.join(", ")}`, maxReasonLength),
          delayMs: Math.min(restartDelayMs, maxDelayMs),
        })
      : no("not needed: what changed counts already");
    return { ...result, restart, sentinel: null };
  };

  return {
    async "config.get"() {
      const source = await writer.read();
      if (shown?.source !== source) shown = { source, answer: toAnswer(source, store.files.path) };
      return shown.answer;
    },
    async "config.schema"() {
      const { configSchemaJson, uiHintsJson } = await import("../settings/generated/schema.ts");
      return {
        schema: JSON.parse(configSchemaJson) as unknown,
        uiHints: JSON.parse(uiHintsJson) as MethodResult<"config.schema">["uiHints"],
        version,
        generatedAt: new Date(clock.now()).toISOString(),
      };
    },
    async "config.set"({ params }) {
      const { isNoop: _isNoop, ...result } = await changeFile(params, replaceWhole(params));
      return result;
    },
    "config.patch": async ({ params }) => applyRestart(await changeFile(params, patchFile(params)), params),
    "config.apply": async ({ params }) => applyRestart(await changeFile(params, replaceWhole(params)), params),
  };
}

function toAnswer(source: SourceFile, path: string): MethodResult<"config.get"> {
  const secrets = createSecretPaths();
  return {
    path,
    exists: source.exists,
    raw: redactedText(source, secrets),
    parsed: source.value === undefined ? null : redactConfig(source.value, secrets),
    valid: source.problems.length === 0,
    config: redactedConfig(source, secrets),
    ...(source.hash === undefined ? {} : { hash: source.hash }),
    issues: source.problems.map(toIssue),
    warnings: [],
    legacyIssues: [],
  };
}

type Change = MethodResult<"config.set"> & { readonly isNoop: boolean };
type Asked = MethodParams<"config.patch">;
/** @returns the new text, or undefined when the file says so already. */
type Decide = (source: SourceFile) => string | undefined;

function createChange({ store, log }: ConfigMethodDependencies, writer: ConfigWriter) {
  return async (params: Asked, decide: Decide): Promise<Change> => {
    let before: SourceFile | undefined;
    let isNoop = false;
    const after = await writer.write((source) => {
      before = source;
      const text = decide(source);
      isNoop = text === undefined || text === source.text;
      return text;
    });
    const paths = listChanges(before?.value ?? {}, after.value ?? {});
    if (!isNoop) {
      await store.reload();
      log.info("the config was changed", {
        keys: paths.map((path) => path.join(".")),
        ...(params.note ? { note: params.note } : {}),
      });
    }
    return {
      ok: true,
      path: store.files.path,
      config: redactedConfig(after, createSecretPaths()),
      ...(after.hash === undefined ? {} : { hash: after.hash }),
      changedPaths: paths.map((path) => path.join(".")),
      restartPaths: listRestartKeys(paths),
      isNoop,
    };
  };
}

function checkBase({ exists, hash }: SourceFile, baseHash: string | undefined): void {
  if (!exists) return;
  const refuse = (message: string) => new Fault("invalid_params", message, { field: "baseHash" });
  if (hash === undefined) throw refuse("config base hash unavailable; re-run config.get and retry");
  if (baseHash === undefined) throw refuse("config base hash required; re-run config.get and retry");
  if (baseHash !== hash) throw refuse("config changed since last load; re-run config.get and retry");
}

/** The text as it was sent, with what the placeholders stand for. */
function replaceWhole({ raw, baseHash }: Asked): Decide {
  return (source) => {
    checkBase(source, baseHash);
    const sent = parseRaw(raw);
    return editText(raw, sent, restore(sent, source.value)).text;
  };
}

/** What changes nothing needs no hash. */
function patchFile({ raw, baseHash }: Asked): Decide {
  return (source) => {
    const patch = parseRaw(raw);
    if (!isRecord(patch)) throw new Fault("invalid_params", "config.patch raw must be an object", { field: "raw" });
    if (source.value === undefined || source.problems.length > 0) {
      throw new Fault("invalid_params", "invalid config; fix before patching", {
        next: "mend the file, or write it whole with config.apply",
        details: { issues: source.problems.map(toIssue) },
      });
    }
    const to = applyMergePatch(source.value, restore(patch, source.value));
    if (listChanges(source.value, to).length === 0) return undefined;
    checkBase(source, baseHash);
    return source.text === undefined ? renderText(to) : editText(source.text, source.value, to).text;
  };
}

/** @throws Fault with the words of the JSON5 parser and the place. */
function parseRaw(raw: string): unknown {
  const parsed = parseSource(raw);
  if ("value" in parsed) return parsed.value;
  const [{ message, line, column, next }] = parsed.problems;
  // a list or a number is JSON5 all right
  if (message === "the file must hold an object") return undefined;
  throw new Fault("invalid_params", `${message.replace(/^not /u, "")} at ${line}:${column}`, { field: "raw", next });
}

function restore(value: unknown, current: unknown): unknown {
  const restored = restoreSecrets(value, current);
  const place = restored.missing[0]?.join(".");
  if (place !== undefined) {
    throw new Fault("invalid_params", `there is no secret to keep at ${place}`, {
      field: place,
      next: "write the secret itself, or leave the key out",
    });
  }
  return restored.value;
}
