// Every method of the contract and who answers it. The compiler says when one is missing.

import { createCatalogHandlers } from "../agent/catalog.ts";
import { createAgentHandlers } from "../agent/methods.ts";
import { createChatHandlers } from "../channels/webchat/methods.ts";
import { createAgentListHandlers } from "../config/agent-methods.ts";
import { createConfigHandlers, type ConfigEditor } from "../config/methods.ts";
import { createConversationHandlers } from "../conversation/methods.ts";
import { createPruning } from "../conversation/retention/methods.ts";
import { createSessionHandlers } from "../conversation/sessions/methods.ts";
import { findSessionById } from "../conversation/store/sessions.ts";
import { wake } from "../conversation/wake.ts";
import { createDeviceHandlers } from "./devices/methods.ts";
import { createChannelHandlers } from "./channel-methods.ts";
import { createGatewayHandlers } from "./methods.ts";
import { toGatePolicy, toIdentity, toRetention } from "./policies.ts";
import type { Database } from "../platform/database.ts";
import type { Topics } from "../ports/topics.ts";
import type { GatewayOptions } from "./options.ts";
import type { createModelViews } from "../agent/model-views.ts";
import type { chooseModels } from "../agent/models.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import type { Nodes } from "../nodes/nodes.ts";
import type { Channel } from "../ports/channel.ts";
import type { HandlersOf } from "../ports/method.ts";
import type { Tool } from "../ports/tool.ts";
import type { MethodName } from "../protocol/contract.ts";
import type { Config } from "../settings/config.ts";
import type { Devices } from "./devices/devices.ts";
import type { DiskKeeper } from "./disk/keeper.ts";
import type { Health } from "./health.ts";
import type { Presence } from "./presence.ts";
import type { Reloading } from "./reloading.ts";
import type { Voice } from "./voice/voice.ts";

export interface Parts {
  readonly options: GatewayOptions;
  readonly editor: ConfigEditor;
  readonly tools: readonly Tool[];
  readonly config: () => Config;
  readonly database: Database;
  readonly topics: Topics;
  readonly channels: () => readonly Channel[];
  readonly conversation: Conversation;
  readonly modelViews: ReturnType<typeof createModelViews>;
  readonly models: (override?: string, agentId?: string) => ReturnType<typeof chooseModels>;
  readonly presence: Presence;
  readonly health: Health;
  readonly disk: DiskKeeper;
  readonly devices: Devices;
  readonly nodes: Nodes;
  readonly voice: Voice;
  readonly routePolicy: () => RoutePolicy;
  readonly reloading: Reloading;
}

export function createHandlers(parts: Parts): HandlersOf<MethodName> {
  const { options, config, database, topics, channels, conversation, modelViews, models } = parts;
  const { presence, health, devices, nodes, voice, routePolicy } = parts;
  const { clock, ids, log, paths, version } = options;
  const mainKey = () => widenSessionKey("main", routePolicy());
  return {
    ...createGatewayHandlers({
      health,
      presence,
      logFile: options.logFile,
      note: (text) => conversation.systemEvents.note(mainKey(), text),
      status: {
        systemEvents: () => conversation.systemEvents.waiting(mainKey()),
        clock,
        channels,
        overview: conversation.overview,
        sessionsPath: paths.database,
        agentIds: () => routePolicy().agentIds,
        defaultAgentId: () => routePolicy().defaultAgentId,
        defaultModel: () => models().specs.map((spec) => `${spec.provider}/${spec.model}`)[0] ?? "none",
        version,
        disk: parts.disk.state,
        configSource: () => options.config.snapshot().source,
        configProblems: parts.reloading.problems,
      },
    }),
    ...voice.handlers,
    ...createDeviceHandlers(devices),
    ...createConversationHandlers({
      sending: conversation.sending,
      routePolicy,
      wake: (call) =>
        wake(call, {
          database,
          ids,
          intake: conversation.intake,
          systemEvents: conversation.systemEvents,
          routePolicy,
        }),
    }),
    ...createAgentHandlers({
      intake: conversation.intake,
      runs: conversation.runs,
      sending: conversation.sending,
      routePolicy,
      findSessionKey: (sessionId) => database.read((sql) => findSessionById(sql, sessionId)?.key),
      identity: (agentId) => toIdentity(config(), agentId),
    }),
    ...createChatHandlers({ ...conversation, database, routePolicy }),
    ...createSessionHandlers({
      ...conversation,
      ...modelViews,
      database,
      clock,
      ids,
      routePolicy,
      topics,
      path: paths.database,
    }),
    ...createPruning({ retention: conversation.retention, policy: () => toRetention(config()) }).handlers,
    ...nodes.handlers,
    ...createCatalogHandlers({
      config,
      routePolicy,
      models: (agentId) => models(undefined, agentId),
      tools: () => parts.tools,
    }),
    ...createChannelHandlers({
      clock,
      log: log.child("channels"),
      channels,
      submit: conversation.intake.submit,
      dmPolicy: (channel, account) => toGatePolicy(config(), channel, account).dmPolicy,
      touch: health.touch,
    }),
    ...createAgentListHandlers({
      store: options.config,
      clock,
      reloader: parts.reloading,
      workspaceOf: (agentId) => `${paths.workspace}-${agentId}`,
    }),
    ...createConfigHandlers(parts.editor),
  };
}
