// Runs one tool call of a model. Whatever goes wrong becomes a result that the model can read; a tool never runs with arguments
// that are broken or do not fit its schema.

import { Fault, renderFault } from "../base/fault.ts";
import { ellipsize } from "../base/text.ts";
import type { Log } from "../base/log.ts";
import type { Tool, ToolContext } from "../ports/tool.ts";
import type { CheckArguments } from "./tool-schema.ts";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** undefined: the model's JSON was broken; `raw` is what it wrote. */
  readonly arguments: Record<string, unknown> | undefined;
  readonly raw: string;
}

export interface ToolOutcome {
  readonly text: string;
  readonly isError: boolean;
}

/** Characters of a result that are kept; a model's window is not a dump. */
const maxResultLength = 200_000;

export type RunTool = (call: ToolCall, context: ToolContext, signal: AbortSignal) => Promise<ToolOutcome>;

export function createToolRunner(dependencies: { tools: () => readonly Tool[]; log: Log }): RunTool {
  const checks = new Map<Tool, CheckArguments>();
  const checkOf = async (tool: Tool) => {
    // schemas that come with tools are compiled at run time: the library is loaded at the first call
    const { compileSchema } = await import("./tool-schema.ts");
    const found = checks.get(tool) ?? compileSchema(tool.parameters);
    checks.set(tool, found);
    return found;
  };

  return async (call, context, signal) => {
    // a model may call what it was not offered
    const tools = dependencies.tools().filter((known) => context.isOwner || known.isForOwner !== true);
    const tool = tools.find((candidate) => candidate.name === call.name);
    if (!tool)
      return refuse(
        `There is no tool ${call.name}. Available: ${tools.map((candidate) => candidate.name).join(", ")}.`,
      );
    if (call.arguments === undefined) return refuse(`The arguments are not a JSON object: ${ellipsize(call.raw, 200)}`);

    const check = await checkOf(tool);
    const problems = check(call.arguments);
    if (problems) return refuse(`The arguments do not fit: ${problems}`);
    try {
      return { text: ellipsize(await tool.run(call.arguments, context, signal), maxResultLength), isError: false };
    } catch (error) {
      if (!(error instanceof Fault))
        dependencies.log.error("a tool broke", { tool: tool.name, runId: context.runId, error });
      return refuse(error instanceof Fault ? renderFault(error) : "The tool failed for a reason of its own.");
    }
  };
}

const refuse = (text: string): ToolOutcome => ({ text, isError: true });
