// A conversation room on a real database file, with a memory channel and a scripted agent. `reopen` is what a crash looks like.

import { systemClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { createConversation, type Conversation } from "../../src/conversation/conversation.ts";
import { openGatewayDatabase } from "../../src/conversation/database.ts";
import type { GatePolicy } from "../../src/conversation/gate.ts";
import type { RoutePolicy } from "../../src/conversation/route.ts";
import type { SendRules } from "../../src/conversation/send-policy.ts";
import type { PriceOf } from "../../src/conversation/sessions/record.ts";
import type { ViewModel } from "../../src/conversation/sessions/render.ts";
import type { Database } from "../../src/platform/database.ts";
import type { TurnRunner } from "../../src/ports/turn.ts";
import { createMemoryChannel, type MemoryChannel } from "./memory-channel.ts";

export const openPolicy: GatePolicy = { dmPolicy: "open", allowFrom: ["*"], groupPolicy: "disabled" };

const routePolicy = (): RoutePolicy => ({
  dmScope: "per-channel-peer",
  scope: "per-sender",
  agentIds: ["main"],
  defaultAgentId: "main",
  bindings: [],
});
const viewModel: ViewModel = (ref = "scripted/default") => {
  const [provider = "", model = ""] = ref.split("/");
  return { provider, model, contextWindow: 1_000 };
};

export interface ConversationKit {
  readonly database: Database;
  readonly conversation: Conversation;
  readonly channel: MemoryChannel;
  readonly events: { event: string; payload: unknown }[];
  readonly routePolicy: () => RoutePolicy;
  readonly viewModel: ViewModel;
  stop(): Promise<void>;
}

export async function openConversationKit(options: {
  databaseFile: string;
  runTurn: TurnRunner;
  gatePolicy?: GatePolicy;
  /** Where accounts differ. */
  gatePolicyOf?: (account: string) => GatePolicy;
  channel?: MemoryChannel;
  priceOf?: PriceOf;
  defaultThinking?: string;
  sendRules?: SendRules;
  /** Stands before the database. */
  wrap?: (database: Database) => Database;
}): Promise<ConversationKit> {
  const opened = await openGatewayDatabase(options.databaseFile, { command: (words) => words });
  const database = options.wrap?.(opened) ?? opened;
  const channel = options.channel ?? createMemoryChannel();
  const events: { event: string; payload: unknown }[] = [];
  const conversation = createConversation({
    database,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    publish: (event, payload) => events.push({ event, payload }),
    topics: { isWanted: () => true },
    viewModel,
    priceOf: options.priceOf ?? (() => undefined),
    runTurn: options.runTurn,
    channels: () => [channel],
    gatePolicy: (_channel, account) => options.gatePolicyOf?.(account) ?? options.gatePolicy ?? openPolicy,
    routePolicy,
    sendRules: () => options.sendRules ?? {},
    pairingText: { product: "Product", approveCommand: "product pairing approve" },
    defaultTimeoutMs: () => 5_000,
    defaultThinking: () => options.defaultThinking,
    maxConcurrent: () => 4,
  });
  for (const service of conversation.services) await service.start();
  await channel.start(conversation.intake.submit);
  return {
    database,
    conversation,
    channel,
    events,
    routePolicy,
    viewModel,
    async stop() {
      const deadline = AbortSignal.timeout(2_000);
      await channel.stop(deadline);
      for (const service of conversation.services.toReversed()) await service.stop(deadline);
      await database.close();
    },
  };
}

/** Resolves when `condition` holds; looks every few milliseconds and fails after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not true within ${timeoutMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
