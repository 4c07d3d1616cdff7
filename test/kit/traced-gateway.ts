// A real Gateway that exports to a real collector, with a Telegram and a model of the test's.

import type { TestContext } from "node:test";

import { patched } from "./config-edits.ts";
import { until } from "./conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "./gateway-process.ts";
import { startModelServer, type Answer, type ModelCall, type ModelServer } from "./model-server.ts";
import { startOtlpServer, type CollectedSpan, type OtlpServer } from "./otlp-server.ts";
import { startFakeTelegram, type FakeTelegram } from "./telegram-server.ts";

export interface TracedGateway {
  readonly collector: OtlpServer;
  readonly telegram: FakeTelegram;
  readonly model: ModelServer;
  readonly gateway: GatewayProcess;
  /** Texts that Telegram was asked to send. */
  readonly replies: () => string[];
}

interface KitOptions {
  /** On top of the kit's own. */
  readonly config?: object;
  /** Absent: all is exported. */
  readonly env?: (collector: OtlpServer) => NodeJS.ProcessEnv;
  readonly answer?: (call: ModelCall) => Answer;
}

export const exportAll = ({ url }: OtlpServer): NodeJS.ProcessEnv => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: "50",
  OTEL_METRIC_EXPORT_INTERVAL: "1000",
});

/** The first question asks for a tool, its result for an answer. */
export function answerOnce({ messages }: ModelCall): Answer {
  return messages.at(-1)?.role === "tool" ? "It is late." : { tool: "session_status", args: {} };
}

export async function openTracedGateway(
  context: TestContext,
  { config = {}, env = exportAll, answer = answerOnce }: KitOptions = {},
): Promise<TracedGateway> {
  const collector = await startOtlpServer();
  context.after(() => collector.close());
  const telegram = await startFakeTelegram();
  context.after(() => telegram.close());
  const model = await startModelServer(answer);
  context.after(() => model.close());
  const gateway = await createGatewayProcess({
    config: patched(
      {
        gateway: {
          mode: "local",
          reload: { debounceMs: 0 },
          http: { endpoints: { chatCompletions: { enabled: true } } },
        },
        agents: { defaults: { model: "mock/test-model" } },
        models: { providers: { mock: { baseUrl: model.baseUrl, apiKey: "test-key", api: "openai-completions" } } },
        channels: {
          telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, dmPolicy: "allowlist", allowFrom: [7] },
        },
      },
      config,
    ),
    env: env(collector),
  });
  context.after(() => gateway.dispose());
  await gateway.start();
  const replies = () =>
    telegram.calls.filter(({ method }) => method === "sendMessage").map(({ body }) => String(body["text"]));
  return { collector, telegram, model, gateway, replies };
}

export const hasAll = ({ collector }: Pick<TracedGateway, "collector">, ...names: readonly string[]) =>
  until(() => names.every((name) => collector.span(name)), 15_000);

/** The span's ancestors, nearest first, as far as the collector knows them. */
export function ancestors({ collector }: Pick<TracedGateway, "collector">, span: CollectedSpan | undefined): string[] {
  const parent = collector.spans.find(({ spanId }) => spanId === span?.parentSpanId);
  return parent ? [parent.name, ...ancestors({ collector }, parent)] : [];
}
