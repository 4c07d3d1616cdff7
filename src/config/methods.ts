// `config.*`: the file over the wire. Who writes must have read: a change is refused when the file is not the one that it was
// made from.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { MethodParams, MethodResult } from "../protocol/contract.ts";
import type { HandlersOf } from "../ports/method.ts";
import { redactedConfig, redactedText } from "./answer.ts";
import { changeText, editText } from "./edit.ts";
import { applyMergePatch, listChanges } from "./merge.ts";
import { parseSource } from "./parse.ts";
import { createSecretPaths, redactConfig, restoreSecrets } from "./secret-paths.ts";
import type { Reloader } from "./reload.ts";
import { findTarget, listDifferences, returnTo, type Target } from "./rollback.ts";
import type { ConfigStore } from "./store.ts";
import type { Applied, Asker, RestartAnswer } from "./take-up.ts";
import { listVersions } from "./versions.ts";
import { createConfigWriter, toIssue, type ConfigWriter, type SourceFile, type Written } from "./write.ts";

type Names =
  | "config.get"
  | "config.schema"
  | "config.history"
  | "config.rollback"
  | "config.set"
  | "config.patch"
  | "config.apply";

/** Somebody who changes the config, but for clients: what they may change, and whom to tell after a restart. */
export interface Author {
  /** @throws Fault when these changes are not theirs to make; nothing was written then. */
  readonly check: (changes: readonly (readonly string[])[], after: unknown) => void;
  readonly asker: Asker;
}

/** What `config.*` does, for clients and for whoever else may. */
export interface ConfigEditor {
  get(): Promise<MethodResult<"config.get">>;
  schema(): Promise<MethodResult<"config.schema">>;
  history(): Promise<MethodResult<"config.history">>;
  rollback(params: MethodParams<"config.rollback">): Promise<MethodResult<"config.rollback">>;
  set(params: Asked): Promise<MethodResult<"config.set">>;
  patch(params: Asked, author?: Author): Promise<MethodResult<"config.patch">>;
  apply(params: Asked, author?: Author): Promise<MethodResult<"config.apply">>;
}

export interface ConfigMethodDependencies {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Whatever is written counts by it. */
  readonly reloader: Pick<Reloader, "change">;
}

const defaultDelayMs = 2_000;
const maxDelayMs = 60_000;

export function createConfigHandlers(editor: ConfigEditor): HandlersOf<Names> {
  return {
    "config.get": () => editor.get(),
    "config.schema": () => editor.schema(),
    "config.history": () => editor.history(),
    "config.rollback": ({ params }) => editor.rollback(params),
    "config.set": ({ params }) => editor.set(params),
    "config.patch": ({ params }) => editor.patch(params),
    "config.apply": ({ params }) => editor.apply(params),
  };
}

export function createConfigEditor(dependencies: ConfigMethodDependencies): ConfigEditor {
  const { store, clock, version } = dependencies;
  const writer = createConfigWriter({ files: store.files, clock });
  let shown: { readonly source: SourceFile; readonly answer: MethodResult<"config.get"> } | undefined;
  const changeFile = createChange(dependencies, writer);
  const delayOf = ({ restartDelayMs = defaultDelayMs }: { restartDelayMs?: number }) =>
    Math.min(restartDelayMs, maxDelayMs);

  return {
    async get() {
      const source = await writer.read();
      if (shown?.source !== source) shown = { source, answer: toAnswer(source, store.files.path) };
      return shown.answer;
    },
    async schema() {
      const { configSchemaJson, uiHintsJson } = await import("../settings/generated/schema.ts");
      return {
        schema: JSON.parse(configSchemaJson) as unknown,
        uiHints: JSON.parse(uiHintsJson) as MethodResult<"config.schema">["uiHints"],
        version,
        generatedAt: new Date(clock.now()).toISOString(),
      };
    },
    async history() {
      return { path: store.files.path, versions: await listVersions(store.files, await writer.read()) };
    },
    async rollback(params) {
      const source = await writer.read();
      if (params.baseHash !== undefined) checkBase(source, params.baseHash);
      const target = await findTarget(store.files, source, params.id);
      const found = describeTarget(target, source);
      if (params.dryRun === true) return { ...found, ...unchanged(source, store.files.path), dryRun: true };
      const decide = returnTo(target, { source, path: store.files.path });
      const restartDelayMs = (isNoop: boolean) => (isNoop ? undefined : delayOf(params));
      return { ...found, ...withRestart(await changeFile(params, decide, { restartDelayMs })), dryRun: false };
    },
    async set(params) {
      return (await changeFile(params, replaceWhole(params), { restartDelayMs: () => undefined })).result;
    },
    async patch(params, author) {
      // what changes nothing disturbs nothing
      const restartDelayMs = (isNoop: boolean) => (isNoop ? undefined : delayOf(params));
      return withRestart(await changeFile(params, patchFile(params), { restartDelayMs, author }));
    },
    async apply(params, author) {
      const restartDelayMs = () => delayOf(params);
      return withRestart(await changeFile(params, replaceWhole(params), { restartDelayMs, author }));
    },
  };
}

function withRestart({ result, isNoop, applied }: Change): MethodResult<"config.patch"> {
  const no = (reason: string): RestartAnswer => ({ ok: false, pid: process.pid, delayMs: 0, reason });
  const reason =
    applied.effect === "restart" ? "stop the Gateway and start it again" : "not needed: what changed counts already";
  const { sentinel, ...answer } = applied.restart ?? no(reason);
  const restart = applied.restart === undefined && isNoop ? undefined : answer;
  return {
    ...result,
    ...(isNoop ? { noop: true } : {}),
    ...(restart ? { restart } : {}),
    sentinel: sentinel ? { path: null, payload: sentinel } : null,
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
    legacyIssues: source.legacy.map(toIssue),
  };
}

function describeTarget({ version, evaluated }: Target, { whole }: SourceFile) {
  const changes = listDifferences(whole, evaluated.whole);
  const shown = changes?.map(({ path, from, to, isSecret }) => ({ path, from, to, secret: isSecret })) ?? null;
  return { id: version.id, at: new Date(version.at).toISOString(), changes: shown };
}

/** Nothing was written. */
const unchanged = (source: SourceFile, path: string) => ({
  ok: true as const,
  path,
  config: redactedConfig(source, createSecretPaths()),
  ...(source.hash === undefined ? {} : { hash: source.hash }),
  changedPaths: [],
  restartPaths: [],
  applied: "none" as const,
  sentinel: null,
});

interface Change {
  readonly result: MethodResult<"config.set">;
  readonly isNoop: boolean;
  readonly applied: Applied;
}
type Asked = MethodParams<"config.patch">;
/** @returns what is to be written, or undefined when the file says so already. */
type Decide = (source: SourceFile) => Written;

interface Manner {
  readonly restartDelayMs: (isNoop: boolean) => number | undefined;
  readonly author?: Author | undefined;
}

function createChange({ store, log, reloader }: ConfigMethodDependencies, writer: ConfigWriter) {
  return async (
    params: Pick<Asked, "sessionKey" | "note">,
    decide: Decide,
    { restartDelayMs, author }: Manner,
  ): Promise<Change> => {
    const asker = author?.asker ?? toAsker(params);
    const write = async () => {
      let before: SourceFile | undefined;
      let isNoop = false;
      const after = await writer.write((source) => {
        before = source;
        const written = decide(source);
        const text = typeof written === "object" ? written.text : written;
        isNoop = text === undefined || (written === text && text === source.text);
        if (text !== undefined && author) checkAuthor(source, text, author);
        return written;
      });
      return { after, isNoop, paths: listChanges(before?.value ?? {}, after.value ?? {}) };
    };
    const { written, applied } = await reloader.change(write, ({ isNoop }) => restartDelayMs(isNoop), asker);
    const { after, isNoop } = written;
    const changedPaths = written.paths.map((path) => path.join("."));
    if (!isNoop) {
      log.info("the config was changed by a client", {
        keys: changedPaths,
        ...(params.note ? { note: params.note } : {}),
      });
    }
    const result = {
      ok: true as const,
      path: store.files.path,
      config: redactedConfig(after, createSecretPaths()),
      ...(after.hash === undefined ? {} : { hash: after.hash }),
      changedPaths,
      restartPaths: [...applied.restartPaths],
      applied: applied.effect,
    };
    return { result, isNoop, applied };
  };
}

/** A text that cannot be parsed is refused by whoever writes it. */
function checkAuthor({ value }: SourceFile, text: string, { check }: Author): void {
  const parsed = parseSource(text);
  if ("value" in parsed) check(listChanges(value ?? {}, parsed.value), parsed.value);
}

/** A client that names a session has it told. */
function toAsker({ sessionKey, note }: Pick<Asked, "sessionKey" | "note">): Asker | undefined {
  const key = sessionKey?.trim();
  return key ? { kind: "config-apply", sessionKey: key, ...(note ? { note } : {}) } : undefined;
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
    return changeText(source.text, source.value, to);
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
