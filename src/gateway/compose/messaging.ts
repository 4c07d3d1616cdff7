// Messages in and out: channels, the conversation between them and the agents, what a session may ask of the Gateway.

import { createCanvasTool } from "../../canvas/tool.ts";
import type { CanvasToolDependencies } from "../../canvas/tool-actions.ts";
import type { ConfigEditor } from "../../config/methods.ts";
import type { Reloader } from "../../config/reload.ts";
import { unsetKeys } from "../../config/unset.ts";
import { createConversation, type Conversation } from "../../conversation/conversation.ts";
import { readTextIfExists } from "../../platform/files.ts";
import type { Tool } from "../../ports/tool.ts";
import { createChannelServices, type ChannelServices } from "../channel-services.ts";
import { createChannels, type Channels } from "../features.ts";
import { toGatePolicy, toRetention } from "../policies.ts";
import { createRestarts, type Restarts } from "../restarts/restarts.ts";
import { createGatewayTool } from "../restarts/tool.ts";
import { sessionTables } from "../tables.ts";
import type { Agents } from "./agents.ts";
import type { Ground } from "./ground.ts";

export interface Messaging {
  readonly channels: Channels;
  readonly channelServices: ChannelServices;
  readonly conversation: Conversation;
  readonly restarts: Restarts;
  readonly tools: readonly Tool[];
}

export interface MessagingDependencies extends Pick<CanvasToolDependencies, "nodes" | "canvas"> {
  readonly agents: Agents;
  readonly editor: () => ConfigEditor;
  readonly reloader: () => Pick<Reloader, "change">;
  /** A channel is well, or is not any more. */
  readonly onStatusChange: () => void;
}

export function createMessaging(ground: Ground, dependencies: MessagingDependencies): Messaging {
  const { options, config, isSafe, env, metrics, database, bus, egress, topics, telemetry, routePolicy } = ground;
  const { brand, clock, ids, log, paths } = options;
  const { agents, editor, reloader, onStatusChange } = dependencies;

  const channels = createChannels(isSafe, {
    telegram: {
      settings: () => config().channels.telegram,
      tokenFromEnv: () => env.raw("TELEGRAM_BOT_TOKEN"),
      readFile: readTextIfExists,
      fetch: egress.fetch,
      clock,
      log: log.child("channels/telegram"),
      onStatusChange,
      unsetKeys: (keys) => unsetKeys({ store: options.config, clock, reloader: reloader() }, keys),
    },
  });
  const conversation = createConversation({
    database,
    clock,
    ids,
    log: log.child("conversation"),
    publish: bus.publish,
    topics,
    ...agents.modelViews,
    runTurn: agents.runTurn,
    onSend: metrics.sendEnded,
    beginSpan: telemetry.beginSpan,
    channels: channels.setUp,
    gatePolicy: (channel, account) => toGatePolicy(config(), channel, account),
    routePolicy,
    sendRules: () => config().session.sendPolicy ?? {},
    pairingText: {
      product: brand.product,
      approveCommand: options.command("pairing approve"),
    },
    defaultThinking: () => config().agents.defaults.thinkingDefault,
    defaultTimeoutMs: () => (config().agents.defaults.timeoutSeconds ?? 600) * 1000,
    maxConcurrent: () => config().agents.defaults.maxConcurrent ?? 4,
    retention: () => toRetention(config()),
    sessionTables,
    onForgotten: metrics.forgotten,
  });
  const channelServices = createChannelServices({
    clock,
    channels: channels.all,
    submit: conversation.intake.submit,
    supervisor: ground.supervisor,
  });
  const restarts = createRestarts({
    ...conversation,
    database,
    clock,
    ids,
    log: log.child("gateway/restarts"),
    restart: options.restart,
    routePolicy,
    parseTarget: (channel, to, account) => conversation.sending.resolveChannel(channel).parseTarget(to, account),
    oldFile: paths.restartSentinel,
  });
  const gatewayTool = createGatewayTool({
    editor,
    restarts,
    mayRestart: () => config().commands.restart === true,
  });
  const canvasTool = createCanvasTool({ ...dependencies, command: options.command, ids });
  const tools = [...conversation.tools, gatewayTool, canvasTool].map(telemetry.traceTool);
  return { channels, channelServices, conversation, restarts, tools };
}
