// Wires all rooms together, once. Read it from top to bottom to know what a Gateway is made of.

import { hostname } from "node:os";

import { createCooldowns } from "../agent/cooldowns.ts";
import { createModelCheck } from "../agent/checks.ts";
import { createModelViews } from "../agent/model-views.ts";
import { chooseModels } from "../agent/models.ts";
import { createEmbed } from "../agent/embeddings.ts";
import { openModel } from "../agent/providers/open.ts";
import { recordModel } from "../agent/recording.ts";
import { createTurnRunner } from "../agent/turn.ts";
import { createConfigEditor } from "../config/methods.ts";
import { fileVariables } from "../config/substitute.ts";
import { unsetKeys } from "../config/unset.ts";
import { createConversation } from "../conversation/conversation.ts";
import { openGatewayDatabase } from "../conversation/database.ts";
import { hookProblems } from "../hooks/checks.ts";
import { createOutcomes } from "../hooks/outcomes.ts";
import { readHooks } from "../hooks/section.ts";
import { createNodes } from "../nodes/nodes.ts";
import { createBus } from "../platform/bus.ts";
import { createEgress } from "../platform/egress.ts";
import { withVariables } from "../platform/env.ts";
import { readTextIfExists } from "../platform/files.ts";
import { createSupervisor } from "../platform/supervisor.ts";
import { createTopics } from "../platform/topics.ts";
import { createLimiter } from "./auth/limiter.ts";
import { createTailscaleLogin, createWhois } from "./auth/tailscale.ts";
import type { GatewayOptions } from "./options.ts";
import { startBroadcast } from "./broadcast.ts";
import { createDevices } from "./devices/devices.ts";
import { openTokenKey } from "./devices/token-key.ts";
import { createDispatch, type AnyHandler } from "./dispatch.ts";
import { createDoor } from "./door.ts";
import { createCanvasParts } from "./canvas.ts";
import { createChannels } from "./features.ts";
import { createHandlers } from "./handlers.ts";
import { createHealth } from "./health.ts";
import { createHello } from "./hello.ts";
import { createRouter } from "./http/router.ts";
import { createRoutes } from "./routes.ts";
import { createRunWatch } from "./run-watch.ts";
import { stopInOrder, type StopOptions, type StopReason } from "./lifecycle.ts";
import { createLiveRoutes } from "./http/live-routes.ts";
import { createReadyRoute } from "./http/ready-route.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createMetricsRoute } from "./metrics/route.ts";
import { createMoving } from "./moving.ts";
import { toNodeLink } from "./node-link.ts";
import {
  toAgentDefaults,
  toAgents,
  toCommandPolicy,
  isTailscaleAccepted,
  toGatePolicy,
  toIdentity,
  toRoutePolicy,
} from "./policies.ts";
import { createPresence } from "./presence.ts";
import { createReloading } from "./reloading.ts";
import { createReadiness } from "./readiness.ts";
import { createRestarts } from "./restarts/restarts.ts";
import { createGatewayTool } from "./restarts/tool.ts";
import { createExposure } from "./tailscale-exposure.ts";
import { refuseInSafeMode } from "./safe-mode.ts";
import { tables } from "./tables.ts";
import { createVoice } from "./voice/voice.ts";
import { describeSelf } from "./self.ts";
import { createWsLog } from "./ws-log.ts";
import { createGatewayServer } from "./server.ts";
import { createTicker, toService } from "./services.ts";

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
  const { brand, clock, ids, log, paths, version } = options;
  const config = () => options.config.current();
  /** For as long as this Gateway lives: whoever mends the config starts it anew. */
  const isSafe = options.config.snapshot().source === "safe";
  // keys that the config keeps in its env section are found like those of the process
  const env = withVariables(brand, options.env, fileVariables(config()));
  const startedAt = clock.monotonic();

  const metrics = createMetrics(clock);
  const database = metrics.measureDatabase(openGatewayDatabase(paths.database, tables));
  const bus = createBus(log.child("bus"));
  const egress = createEgress({ clock });
  const supervisor = createSupervisor({ clock, log: log.child("supervisor") });

  const modelSettings = (agentId?: string) => ({
    defaults: toAgentDefaults(config(), agentId),
    providers: config().models.providers,
    env: env.raw,
  });
  const models = (override?: string, agentId?: string) => chooseModels(modelSettings(agentId), override);
  const runTurn = createTurnRunner({
    chooseModels: models,
    openModel: async (spec) => {
      const model = metrics.measureModel(await openModel(spec, { fetch: egress.fetch, clock }));
      return options.recordModel ? recordModel(model, { record: options.recordModel, clock }) : model;
    },
    cooldowns: createCooldowns(clock),
    tools: () => tools,
    clock,
    log: log.child("agent"),
  });

  const channels = createChannels(isSafe, {
    telegram: {
      settings: () => config().channels.telegram,
      tokenFromEnv: () => env.raw("TELEGRAM_BOT_TOKEN"),
      readFile: readTextIfExists,
      fetch: egress.fetch,
      clock,
      log: log.child("channels/telegram"),
      onStatusChange: () => health.touch(),
      unsetKeys: (keys) => unsetKeys({ store: options.config, clock }, keys),
    },
  });

  const topics = createTopics();
  const modelViews = createModelViews(modelSettings);
  const conversation = createConversation({
    database,
    clock,
    ids,
    log: log.child("conversation"),
    publish: bus.publish,
    topics,
    ...modelViews,
    runTurn: metrics.measureTurns(runTurn),
    onSend: metrics.sendEnded,
    channels: channels.setUp,
    gatePolicy: (channel) => toGatePolicy(config(), channel),
    routePolicy: () => toRoutePolicy(config()),
    sendRules: () => config().session.sendPolicy ?? {},
    pairingText: {
      product: brand.product,
      approveCommand: options.command("pairing approve"),
    },
    defaultThinking: () => config().agents.defaults.thinkingDefault,
    defaultTimeoutMs: () => (config().agents.defaults.timeoutSeconds ?? 600) * 1000,
    maxConcurrent: () => config().agents.defaults.maxConcurrent ?? 4,
  });

  const restarts = createRestarts({
    ...conversation,
    database,
    clock,
    ids,
    log: log.child("gateway/restarts"),
    restart: options.restart,
    routePolicy: () => toRoutePolicy(config()),
    parseTarget: (channel, to, account) => conversation.sending.resolveChannel(channel).parseTarget(to, account),
    oldFile: paths.restartSentinel,
  });
  const tools = [
    ...conversation.tools,
    createGatewayTool({
      editor: () => editor,
      restarts,
      mayRestart: () => config().commands.restart === true,
    }),
  ];

  const presence = createPresence({
    clock,
    self: describeSelf(version),
    onChange: () => tellPresence(),
  });
  const health = createHealth({
    clock,
    log: log.child("health"),
    channels: channels.setUp,
    overview: conversation.overview,
    sessionsPath: paths.database,
    agents: () => toAgents(config()),
    services: () => supervisor.states(),
    configProblems: () => [...reloading.problems(), ...hookProblems(hookState())],
    logTrouble: options.logTrouble,
    mask: options.mask,
    configSource: () => options.config.snapshot().source,
    onRefresh: (snapshot) => bus.publish("health", snapshot),
  });
  const stateVersion = () => ({ presence: presence.version(), health: health.version() });

  let tokenKey: ReturnType<typeof openTokenKey> | undefined;
  const devices = createDevices({
    database,
    clock,
    ids,
    publish: bus.publish,
    key: () => (tokenKey ??= openTokenKey(paths.deviceKey, ids)),
    onEnded: (ended, exceptConnId) => server.end(ended, exceptConnId),
  });

  const routePolicy = () => toRoutePolicy(config());
  const limiter = createLimiter(clock);
  const nodes = createNodes({
    database,
    clock,
    ids,
    log: log.child("nodes"),
    bus,
    attempts: limiter,
    intake: conversation.intake,
    sending: conversation.sending,
    noteEvent: conversation.systemEvents.note,
    routePolicy,
    policy: () => toCommandPolicy(config()),
    pairedDevices: () => devices.idsOf("node"),
    revokeDevice: async (deviceId, caller) => void (await devices.revoke(deviceId, "node", caller)),
    execApprovalsPath: paths.execApprovals,
  });
  const voice = createVoice({
    path: paths.voiceWake,
    clock,
    publish: bus.publish,
    defaultTriggers: [brand.name, "claude", "computer"],
  });
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
    moving,
    restarts,
    endShared: (reason) => server.endShared(reason),
    onProblems: () => health.touch(),
  });
  const editor = createConfigEditor({
    store: options.config,
    clock,
    log: log.child("config"),
    version,
    reloader: reloading,
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
    modelViews,
    models,
    presence,
    health,
    devices,
    nodes,
    voice,
    routePolicy,
    reloading,
  });

  let isDraining = false;
  const readiness = createReadiness({
    clock,
    database,
    channels: channels.setUp,
    services: () => supervisor.states(),
    isDraining: () => isDraining,
    isSafe,
    mask: options.mask,
  });
  const door = createDoor({
    limiter,
    secret: options.secret,
    gateway: () => config().gateway,
    devices,
    command: options.command,
    tailscaleLogin: createTailscaleLogin({
      clock,
      isAccepted: () => isTailscaleAccepted(config().gateway, options.secret().mode),
      whois: createWhois({ clock, log: log.child("gateway/tailscale"), path: () => env.raw("PATH") ?? "" }),
    }),
  });
  const canvas = createCanvasParts({
    options,
    clock,
    ids,
    config,
    moving,
    isSafe,
    ...door,
    onStateChange: () => health.touch(),
  });
  const common = { database, clock, ids, routePolicy, intake: conversation.intake };
  const hookState = () => readHooks(config().hooks, options.secret().value);
  const outcomes = createOutcomes({ database, clock, log: log.child("hooks"), runs: conversation.runs });
  const metricsRoute = createMetricsRoute(metrics, {
    clock,
    version,
    overview: conversation.overview,
    channels: channels.setUp,
    connections: () => server.connections(),
    isDraining: () => isDraining,
  });
  const pages = [...createLiveRoutes(), createReadyRoute(readiness), metricsRoute];
  const routes = createRoutes({
    pages,
    canvas: canvas.canvas,
    openAi: {
      ...common,
      runs: conversation.runs,
      lane: conversation.lane,
      watchRun: createRunWatch(bus),
      fetch: async (url, limits) =>
        (await import("../platform/egress-public.ts")).createPublicFetch({ clock })(url, limits),
      config: () => config().gateway.http,
      product: brand.name,
      embed: createEmbed({ chooseModels: models, fetch: egress.fetch }),
      readPdf: async (bytes, limits) => (await import("../platform/pdf.ts")).readPdf(bytes, limits, clock),
    },
    hooks: {
      ...common,
      state: hookState,
      outcomes,
      sending: conversation.sending,
      systemEvents: conversation.systemEvents,
    },
    tools: { ...common, tools: () => tools, policy: () => config().gateway.tools ?? {} },
    controlUi: {
      section: () => config().gateway.controlUi,
      assistant: () => {
        const { defaultAgentId: agentId } = routePolicy();
        const { name, emoji } = toIdentity(config(), agentId);
        return { agentId, name, emoji };
      },
      product: brand.name,
      folder: paths.state,
    },
  });
  const wsLog = createWsLog({
    log: log.child("gateway/ws"),
    clock,
    options: options.wsLogging ?? { style: "auto", isOn: () => false },
  });
  const exposure = createExposure({
    clock,
    log: log.child("tailscale"),
    gateway: () => config().gateway,
    secretMode: () => options.secret().mode,
    port: moving.port,
    path: () => env.raw("PATH") ?? "",
  });
  const server = createGatewayServer({
    clock,
    ids,
    log: log.child("gateway/ws"),
    ...door,
    router: createRouter({
      clock,
      ids,
      log: log.child("gateway/http"),
      judge: door.judge,
      routes: () => (isSafe ? pages : routes),
      isDraining: () => isDraining,
      onAnswered: metrics.httpAnswered,
    }),
    canvas: { isInvited: canvas.canvas.isInvited, takeUpgrade: canvas.takeUpgrade },
    allowedOrigins: () => config().gateway.controlUi.allowedOrigins,
    dispatch: createDispatch({
      // the compiler has just seen that every method of the contract has its handler; the router looks them up by name
      handlers: handlers as unknown as Readonly<Record<string, AnyHandler>>,
      log: log.child("gateway/dispatch"),
      clock,
      ids,
      isDraining: () => isDraining,
      wsLog,
      onAnswered: metrics.requestAnswered,
      ...(isSafe ? { refuse: refuseInSafeMode } : {}),
    }),
    createHello: async (connection, granted, request) =>
      createHello(connection, granted, {
        canvas: canvas.greet(request, granted, connection.caller.connId),
        version,
        host: hostname(),
        presence,
        health,
        stateVersion,
        uptimeMs: () => Math.round(clock.monotonic() - startedAt),
        configPath: paths.config,
        stateDir: paths.state,
        session: () => ({
          defaultAgentId: routePolicy().defaultAgentId,
          scope: config().session.scope ?? "per-sender",
        }),
      }),
    onOpen(connection, client) {
      log.debug("client connected", {
        conn: connection.caller.connId,
        client: client.caller.client.id,
        protocol: client.caller.protocol,
        role: client.caller.role,
        auth: client.caller.auth,
      });
      presence.connected(client);
      if (connection.caller.role === "node") {
        nodes.links.attach(toNodeLink(connection));
        voice.greet(connection).catch((error: unknown) => log.warn("cannot tell a node its words", { error }));
      }
    },
    onClose(connection, client) {
      log.debug("client gone", { conn: connection.caller.connId });
      presence.disconnected(client);
      canvas.canvas.capabilities.end(connection.caller.connId);
      nodes.links.detach(connection.caller.connId);
    },
  });

  const tellPresence = () => bus.publish("presence", { presence: presence.list() });
  const ticker = createTicker(clock, { tick: () => bus.publish("tick", { ts: clock.now() }), presence: tellPresence });
  let stopBroadcast = () => {};

  return {
    async start() {
      stopBroadcast = startBroadcast({
        bus,
        connections: server.connections,
        stateVersion,
        topics,
        onSent: ({ name, payload }, clients) => wsLog.sent(name, payload, clients),
      });
      moving.serve();
      await supervisor.start([
        health,
        ticker,
        ...(isSafe ? [] : [...conversation.services, restarts, outcomes]),
        reloading,
      ]);
      // what is outside comes last, side by side: a platform that is slow to answer holds up nobody
      const outside = [
        exposure,
        canvas.service,
        ...channels.all.map((channel) => toService(channel, conversation.intake.submit)),
      ];
      await Promise.all(outside.map((service) => supervisor.start([service])));
      readiness.started();
    },
    async stop(reason, stopOptions) {
      const stages = {
        closeIntake() {
          isDraining = true;
          conversation.intake.close();
        },
        drain: conversation.lane.drain,
        deliver: conversation.deliver,
        announce(stopping: StopReason) {
          bus.publish("shutdown", stopping);
          server.closeAll();
        },
        async stopServices(deadline: AbortSignal) {
          await supervisor.stop(deadline);
          stopBroadcast();
          egress.close();
          await moving.close();
        },
        closeDatabase: () => database.close(),
      };
      await stopInOrder(stages, reason, { clock, log: log.child("lifecycle"), ...stopOptions });
    },
    model: () => models().specs.map((spec) => `${spec.provider}/${spec.model}`)[0],
    notices: async () => [...(await createModelCheck(() => models()).run()), ...hookProblems(hookState())],
  };
}
