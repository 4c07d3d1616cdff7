// `gateway run`: the long-lived process. Owns the signals and the exit code; everything else is gateway/compose.

import { createGateway } from "../../gateway/compose.ts";
import { openOwnDatabase } from "../../gateway/database.ts";
import { checkExposure } from "../../gateway/tailscale-exposure.ts";
import type { Timer } from "../../base/clock.ts";
import { toFault } from "../../base/fault.ts";
import type { GatewaySecret } from "../../config/secret.ts";
import { openStarts, retrySilentMs } from "../../config/starts.ts";
import { openConfig, type ConfigStore } from "../../config/store.ts";
import { collectGarbage, keepHeapSmall } from "../../platform/memory.ts";
import { openLock, type Lock } from "../../platform/lock.ts";
import { tlsFiles } from "../../platform/paths.ts";
import type { Invocation, Run } from "../commands.ts";
import { configFiles } from "../config-files.ts";
import type { Context } from "../context.ts";
import { maskFault } from "../mask-fault.ts";
import { createAttempt, type Attempt } from "./attempt.ts";
import { untilEnd } from "./ending.ts";
import { announce, createPhases, type Phases } from "./announcement.ts";
import { createFallback, type Before, type Fallback } from "./fallback.ts";
import { withFlags } from "./flagged-config.ts";
import { openListening, type Address, type Listening } from "./listening.ts";
import { openGatewayLog, watchCaptures, type GatewayLog } from "./open-log.ts";
import { openGatewayListener } from "./port-busy.ts";
import { registerInstance } from "./registration.ts";
import { checkMode, decideAddress, makeStateFolder, requireSecret } from "./requirements.ts";
import { createRestart } from "./restart.ts";
import { prepareRun, type RunFlags } from "./run-flags.ts";
import { killItself, watchSignals, type ProcessSignals } from "./signals.ts";
import { renameProcess } from "./title.ts";
import { openTimeline } from "./timeline.ts";
import { createTlsWatch, openTls, type TlsWatch } from "./tls.ts";

/** Between a signal and the restart it asks for: longer than the pauses of a burst, so that what follows it is no part of that. */
const signalDelayMs = 150;

/** After a restart: all is loaded, and clients are back. */
const settledMs = 10_000;

/** Once it is told why it ends. */
const endingMs = 3_000;

export const run: Run = async (given, invocation) => {
  const { context, flags, told } = await prepareRun(given, invocation);
  watchCaptures(context, "gateway");
  const signals = watchSignals({ clock: context.clock, onBreakdown: () => process.exit(1), onStuck: killItself });
  let before: Before | undefined;
  let tidying: Timer | undefined;
  let masked: GatewayLog["masked"] = () => [];
  const onLog = (opened: GatewayLog) => {
    masked = opened.masked;
  };
  for (;;) {
    const fallback = createFallback(before);
    const living = live(context, invocation, { signals, fallback, flags, told: before ? [] : told, onLog });
    try {
      // what breaks while it starts has nobody else to tell
      const life = await Promise.race([living, signals.broken]);
      if (!life.isRestart) {
        signals.done();
        return 0;
      }
      before = life;
      tidying?.cancel();
      await collectGarbage();
      // of a first life the engine clears the start away by itself; of a later one it does not
      tidying = context.clock.after(settledMs, () => void collectGarbage());
    } catch (error) {
      // what is left open must not keep a process about that serves nobody: a supervisor starts it again once it has ended
      context.clock.after(endingMs, () => process.exit(1));
      throw maskFault(toFault(error), masked());
    }
  }
};

interface Life extends Before {
  readonly isRestart: boolean;
}

interface LifeOptions {
  readonly signals: ProcessSignals;
  readonly fallback: Fallback;
  readonly flags: RunFlags;
  readonly told: readonly string[];
  /** The log knows what is secret; whoever tells how it ended must too. */
  readonly onLog: (opened: GatewayLog) => void;
}

/** From opening everything to closing it all. */
async function live(
  context: Context,
  invocation: Invocation,
  { signals, fallback, flags, told, onLog }: LifeOptions,
): Promise<Life> {
  const phases = createPhases(context.clock);
  const { paths } = context;
  const starts = await openStarts({ path: paths.starts, clock: context.clock });
  const stored = await openConfig(configFiles(context), starts.ladder);
  const config = withFlags(stored, flags);
  const attempt = createAttempt(starts, config, context.clock);
  phases.mark("config");
  await fallback.attempt(
    () => checkMode(config, invocation, context.command),
    () => undefined,
  );
  const decide = () => decideAddress(context, invocation, config.current());
  const { host, port } = await fallback.attempt(
    decide,
    // never wider than what was asked for
    (before) => ({ host: "127.0.0.1", port: before.port }),
  );
  // any free port: after a restart clients look for the one they know
  const first = { host, port: port === 0 ? (fallback.before?.port ?? 0) : port };

  // a start that was refused leaves nothing behind
  await makeStateFolder(context);
  const opened = openGatewayLog(context, config.current, { name: "gateway", isVerbose: flags.isVerbose });
  onLog(opened);
  let lock: Lock | undefined;
  let leave: (() => Promise<void>) | undefined;
  let tlsWatch: TlsWatch | undefined;
  let closePort = async () => {};
  try {
    // once: what comes to the port after a restart is not what was meant
    const isForced = invocation.options["force"] === true && !fallback.before;
    if (isForced) {
      const { forcePort } = await import("./force.ts");
      await forcePort(context, first.port, opened.log);
    }
    lock = await openLock(paths.lock);
    const isFirst = !fallback.before;
    await attempt.begin(openTimeline(context, { ...opened, config: config.snapshot().source, isFirst }));
    // only the owner of the state folder makes a token: two first starts at once must not overwrite each other's
    const required = await fallback.attempt(
      () => requireSecret(context, config.current()),
      (before) => ({ secret: before.secret, isNew: false }),
    );
    let { secret } = required;
    opened.know(secret.value);
    const renewSecret = async () => {
      secret = (await requireSecret(context, config.current())).secret;
      opened.know(secret.value);
    };
    await fallback.attempt(
      () => checkExposure(config.current().gateway, secret.mode),
      () => undefined,
    );
    phases.mark("lock");
    const describe = async (where: Listening) => {
      const at = where.port();
      renameProcess(context.brand, { profile: paths.profile, port: at });
      await lock?.describe({ pid: process.pid, port: at, version: context.version, startedAt: context.clock.now() });
      await leave?.();
      leave = await registerInstance(context, { config: config.current(), port: at, log: opened.log });
    };
    const findTls = () => openTls(context, config.current().gateway, opened.log.child("gateway/tls"));
    const listen = (at: Address, tls = findTls) =>
      openListening({
        first: at,
        decide,
        tls,
        open: (options) =>
          openGatewayListener(context, { ...options, isForced: isForced && options.port === first.port }),
        log: opened.log.child("gateway/listen"),
        onMoved: async (moved) => {
          await describe(moved);
          await tlsWatch?.follow(moved.tls() !== undefined);
        },
      });
    const listening = await fallback.attempt(
      () => listen(first),
      // who had TLS does not go on in the clear
      (before) => listen({ host, port: before.port }, () => findTls().catch(() => before.tls)),
    );
    closePort = listening.close;
    tlsWatch = createTlsWatch({
      files: () => tlsFiles(context.paths, config.current().gateway.tls),
      clock: context.clock,
      log: opened.log.child("gateway/tls"),
      renew: listening.renew,
    });
    phases.mark("port");
    for (const complaint of fallback.complaints()) opened.log.error(complaint);
    for (const line of told) opened.log.warn(line);
    await describe(listening);
    await tlsWatch.follow(listening.tls() !== undefined);
    const { isNew } = required;
    const parts = { config, secret: () => secret, renewSecret, isNew, opened, listening, phases, signals, flags };
    const isRestart = await serve(context, { ...parts, attempt });
    await attempt.end(undefined);
    return { isRestart, port: listening.port(), secret, tls: listening.tls() };
  } catch (error) {
    // a port on which nobody will ever answer holds the process, and whoever connects
    await closePort();
    await attempt.end(error);
    throw error;
  } finally {
    tlsWatch?.stop();
    await leave?.();
    lock?.release();
    opened.close();
  }
}

interface Serving {
  readonly config: ConfigStore;
  readonly secret: () => GatewaySecret;
  readonly renewSecret: () => Promise<void>;
  readonly isNew: boolean;
  readonly opened: GatewayLog;
  readonly listening: Listening;
  readonly phases: Phases;
  readonly signals: ProcessSignals;
  readonly flags: RunFlags;
  readonly attempt: Attempt;
}

/** @returns true when it is to start anew. */
async function serve(context: Context, serving: Serving): Promise<boolean> {
  const { config, opened, listening, signals, flags } = serving;
  const { log } = opened;
  const timeline = serving.attempt.timeline();
  const recorder = flags.rawStream === undefined ? undefined : opened.record(flags.rawStream);
  const restart = createRestart(context.clock);
  const { source, isValid } = config.snapshot();
  // kills from outside must not leave a good config out of use for ever
  if (source === "safe" && isValid && serving.attempt.isAfterSilence) {
    restart.request({ reason: "the config is tried once more", delayMs: retrySilentMs });
  }
  signals.lead({
    log,
    mayRestart: () => config.current().commands.restart === true,
    restart: () => restart.request({ reason: "SIGUSR1", delayMs: signalDelayMs }),
  });
  const database = await openOwnDatabase({ ...context, log });
  const gateway = createGateway({
    brand: context.brand,
    version: context.version,
    paths: context.paths,
    env: context.env,
    config,
    secret: serving.secret,
    renewSecret: serving.renewSecret,
    database,
    clock: context.clock,
    ids: context.ids,
    log,
    logFile: opened.file,
    logTrouble: opened.trouble,
    lostLogLines: opened.lost,
    timeline,
    mask: opened.mask,
    wsLogging: { style: flags.wsLog, isOn: () => opened.isDebugged("gateway/ws") },
    ...(recorder ? { recordModel: recorder.write } : {}),
    command: context.command,
    restart: restart.request,
    listener: listening.listener,
    moveListener: listening.move,
  });
  try {
    await gateway.start();
    await serving.attempt.up(log);
  } catch (error) {
    await gateway.stop({ reason: "gateway stopping" }, { hurry: AbortSignal.abort() });
    throw error;
  }

  serving.phases.mark("rooms");
  timeline.up(serving.phases, source);
  await announce(context, {
    log,
    url: listening.url(),
    logFile: opened.file(),
    config,
    phases: serving.phases,
    flags,
    newToken: serving.isNew ? serving.secret().source : undefined,
    model: gateway.model(),
    notices: gateway.notices(),
  });
  await keepHeapSmall();

  try {
    return await untilEnd({ gateway, restart, signals, log, timeline });
  } finally {
    recorder?.close();
  }
}
