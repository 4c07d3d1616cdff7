// Wires all rooms together, once. Read it from top to bottom to know what a Gateway is made of; `compose/` has its chapters.

import { createConfigEditor } from "../config/methods.ts";
import { createCanvasParts } from "./canvas.ts";
import { createAgents } from "./compose/agents.ts";
import { createClients } from "./compose/clients.ts";
import { createEntrance } from "./compose/entrance.ts";
import { openGround } from "./compose/ground.ts";
import { createMessaging } from "./compose/messaging.ts";
import { createRunning } from "./compose/running.ts";
import { createWeb } from "./compose/web.ts";
import type { AnyHandler } from "./dispatch.ts";
import { createDiskKeeper } from "./disk/keeper.ts";
import { createHandlers } from "./handlers.ts";
import { createHealth } from "./health.ts";
import type { StopOptions, StopReason } from "./lifecycle.ts";
import { createMoving } from "./moving.ts";
import type { GatewayOptions } from "./options.ts";
import { toAgents, toRetention, toWorkspaces } from "./policies.ts";
import { createPresence } from "./presence.ts";
import { createReloading } from "./reloading.ts";
import { describeSelf } from "./self.ts";
import { createTicker } from "./services.ts";
import { createExposure } from "./tailscale-exposure.ts";
import { createVitals } from "./vitals.ts";
import { createVoice } from "./voice/voice.ts";
import { createWsLog } from "./ws-log.ts";

export interface Gateway {
  start(): Promise<void>;
  /** Never throws. Afterwards nothing of this Gateway runs and the listener is closed. */
  stop(reason: StopReason, options?: StopOptions): Promise<void>;
  /** The one that answers by default, as `provider/model`; undefined: none is set up. */
  model(): string | undefined;
  /** Things that the owner should know at start. */
  notices(): Promise<readonly { readonly message: string; readonly next?: string }[]>;
}

export function createGateway(options: GatewayOptions): Gateway {
  const ground = openGround(options, { figures: () => web.figures(), onProblems: () => health.touch() });
  const { config, isSafe, env, metrics, database, bus, supervisor, topics, telemetry, routePolicy } = ground;
  const { brand, clock, ids, log, paths, version, timeline = { note() {} } } = options;

  const agents = createAgents(ground, { tools: () => messaging.tools });
  const messaging = createMessaging(ground, {
    agents,
    editor: () => editor,
    reloader: () => reloading,
    nodes: () => nodes.commands,
    canvas: () => canvas,
    onStatusChange: () => health.touch(),
  });
  const { channels, channelServices, conversation, restarts, tools } = messaging;
  const entrance = createEntrance(ground, {
    conversation,
    onEnded: (ended, exceptConnId) => server.end(ended, exceptConnId),
  });
  const { devices, nodes, door } = entrance;
  const voice = createVoice({
    path: paths.voiceWake,
    clock,
    publish: bus.publish,
    defaultTriggers: [brand.name, "claude", "computer"],
  });

  const disk = createDiskKeeper({
    paths,
    clock,
    log: log.child("disk"),
    database,
    retention: conversation.retention,
    maintenance: () => toRetention(config()),
    workspaces: () => toWorkspaces(config(), paths),
    currentLog: options.logFile,
    command: options.command,
    onForgotten: metrics.forgotten,
    onChange: () => health.touch(),
  });
  const tellPresence = () => bus.publish("presence", { presence: presence.list() });
  const presence = createPresence({ clock, self: describeSelf(version), onChange: tellPresence });
  const health = createHealth({
    clock,
    log: log.child("health"),
    channels: channels.setUp,
    overview: conversation.overview,
    sessionsPath: paths.database,
    agents: () => toAgents(config()),
    services: () => supervisor.states(),
    configProblems: () => [...reloading.problems(), ...web.hookProblems(), ...telemetry.problems()],
    logTrouble: options.logTrouble,
    disk,
    storageTrouble: () => web.readiness.storageTrouble(),
    mask: options.mask,
    configSource: () => options.config.snapshot().source,
    onRefresh(snapshot) {
      bus.publish("health", snapshot);
      vitals.look();
    },
  });
  const vitals = createVitals({
    clock,
    timeline,
    channels: channels.setUp,
    clients: () => [...server.connections()].length,
    queue: () => health.last()?.queue,
    lostLogLines: options.lostLogLines ?? (() => 0),
    mask: options.mask,
  });
  const stateVersion = () => ({ presence: presence.version(), health: health.version() });

  const moving = createMoving({
    first: options.listener,
    moveListener: options.moveListener ?? (async () => undefined),
    server: {
      attach: (listening) => server.attach(listening),
      dismiss: (servers, event) => server.dismiss(servers, event),
    },
    clock,
    log: log.child("gateway/listen"),
  });
  const reloading = createReloading({
    options,
    supervisor,
    channelServices,
    moving,
    restarts,
    endShared: (reason) => server.endShared(reason),
    telemetry,
    onProblems: () => health.touch(),
  });
  const editor = createConfigEditor({
    store: options.config,
    clock,
    log: log.child("config"),
    version,
    reloader: reloading,
  });

  const isDraining = () => running.isDraining();
  const canvas = createCanvasParts({
    options,
    clock,
    ids,
    config,
    database,
    submit: conversation.intake.submit,
    routePolicy,
    moving,
    isSafe,
    ...door,
    onStateChange: () => health.touch(),
  });
  const web = createWeb(ground, {
    agents,
    messaging,
    door,
    disk,
    canvas: canvas.canvas,
    connections: () => server.connections(),
    isDraining,
  });
  const handlers = createHandlers({
    options,
    editor,
    tools,
    config,
    database,
    topics,
    channels: channels.setUp,
    conversation,
    modelViews: agents.modelViews,
    models: agents.models,
    presence,
    health,
    disk,
    devices,
    nodes,
    voice,
    routePolicy,
    reloading,
  });
  const wsLog = createWsLog({
    log: log.child("gateway/ws"),
    clock,
    options: options.wsLogging ?? { style: "auto", isOn: () => false },
  });
  const server = createClients(ground, {
    ...entrance,
    router: web.router,
    canvas,
    // the compiler has just seen that every method of the contract has its handler; they are looked up by name
    handlers: handlers as unknown as Readonly<Record<string, AnyHandler>>,
    presence,
    health,
    voice,
    wsLog,
    stateVersion,
    isDraining,
  });

  const ticker = createTicker(clock, { tick: () => bus.publish("tick", { ts: clock.now() }), presence: tellPresence });
  const exposure = createExposure({
    clock,
    log: log.child("tailscale"),
    gateway: () => config().gateway,
    secretMode: () => options.secret().mode,
    port: moving.port,
    path: () => env.raw("PATH") ?? "",
  });
  const running = createRunning(ground, {
    messaging,
    server,
    moving,
    wsLog,
    stateVersion,
    inside: [
      telemetry,
      health,
      vitals,
      ticker,
      ...(isSafe ? [] : [...conversation.services, restarts, web.outcomes, disk]),
      reloading,
    ],
    outside: [exposure, canvas.service],
    onStarted: web.readiness.started,
  });

  return {
    start: running.start,
    stop: running.stop,
    model: () => agents.models().specs.map((spec) => `${spec.provider}/${spec.model}`)[0],
    notices: async () => [...(await agents.check.run()), ...web.hookProblems()],
  };
}
