// The agent's work as spans, in the words of OpenTelemetry's conventions for generative AI. Nothing of what is asked or answered is in
// them: names, counts and outcomes are.

import { toFault } from "../../base/fault.ts";
import { inSpan, type BeginSpan, type SpanEnd } from "../../base/trace.ts";
import type { Model, ModelEvent, ModelRequest } from "../../ports/model.ts";
import type { Tool } from "../../ports/tool.ts";
import type { TurnEvent, TurnRequest, TurnRunner } from "../../ports/turn.ts";

export interface AgentSpans {
  traceTurns(runTurn: TurnRunner): TurnRunner;
  traceModel(model: Model): Model;
  traceTool(tool: Tool): Tool;
}

export function createAgentSpans(tracing: { isTracing: () => boolean; beginSpan: BeginSpan }): AgentSpans {
  const { isTracing, beginSpan } = tracing;
  return {
    traceTurns: (runTurn) => (request) => (isTracing() ? traceTurn(request, runTurn, beginSpan) : runTurn(request)),
    traceModel: (model) => ({
      ...model,
      stream: (request) => (isTracing() ? traceCall(request, model, beginSpan) : model.stream(request)),
    }),
    traceTool: (tool) => ({
      ...tool,
      run(params, context, signal) {
        const span = beginSpan(`execute_tool ${tool.name}`, {
          parent: context.trace,
          attributes: {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool.name,
            "gen_ai.tool.type": "function",
          },
        });
        return inSpan(
          span,
          () => tool.run(params, { ...context, trace: span.context }, signal),
          () => ({}),
        );
      },
    }),
  };
}

async function* traceTurn(request: TurnRequest, runTurn: TurnRunner, beginSpan: BeginSpan): AsyncGenerator<TurnEvent> {
  const { agentId, sessionId } = request;
  const span = beginSpan(`invoke_agent ${agentId}`, {
    parent: request.trace,
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": agentId,
      "gen_ai.conversation.id": sessionId,
    },
  });
  let how: SpanEnd = { error: "left" };
  try {
    for await (const event of runTurn({ ...request, trace: span.context })) {
      if (event.type === "end") how = { attributes: describeAnswer(event.message) };
      else if (event.type === "failed") how = { error: event.fault.code };
      else if (event.type === "aborted") how = { error: event.reason };
      yield event;
    }
  } catch (error) {
    how = { error: toFault(error).code };
    throw error;
  } finally {
    span.end(how);
  }
}

const describeAnswer = ({ provider, model, stopReason }: Extract<TurnEvent, { type: "end" }>["message"]) => ({
  "gen_ai.provider.name": provider,
  "gen_ai.response.model": model,
  "gateway.stop_reason": stopReason,
});

async function* traceCall(request: ModelRequest, model: Model, beginSpan: BeginSpan): AsyncGenerator<ModelEvent> {
  const provider = providerNames[model.provider] ?? model.provider;
  const span = beginSpan(`chat ${model.id}`, {
    kind: "client",
    parent: request.trace,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": provider,
      // what it was called before, and still is by many who read it
      "gen_ai.system": provider,
      "gen_ai.request.model": model.id,
      "gen_ai.request.max_tokens": request.maxOutputTokens,
    },
  });
  let how: SpanEnd = { error: "left" };
  try {
    for await (const event of model.stream({ ...request, trace: span.context })) {
      how = toEnd(event) ?? how;
      yield event;
    }
  } finally {
    span.end(how);
  }
}

/** Where the conventions have a name of their own. */
const providerNames: Readonly<Record<string, string>> = { google: "gcp.gemini" };

function toEnd(event: ModelEvent): SpanEnd | undefined {
  if (event.type === "failed") return { error: event.failure };
  if (event.type !== "end") return undefined;
  const { input, output, cacheRead, cacheWrite } = event.usage;
  return {
    attributes: {
      "gen_ai.usage.input_tokens": input,
      "gen_ai.usage.output_tokens": output,
      "gen_ai.usage.cache_read.input_tokens": cacheRead,
      "gen_ai.usage.cache_creation.input_tokens": cacheWrite,
      "gateway.stop_reason": event.stopReason,
    },
  };
}
