// Telemetry as the other rooms get it: spans of their own, and what is put around the agent's work.

import type { GatewayOptions } from "../options.ts";
import { createAgentSpans, type AgentSpans } from "./agent-spans.ts";
import { createTelemetry, type Telemetry, type TelemetryDependencies } from "./telemetry.ts";

/** What is only there once the rooms are. */
export type LateParts = Pick<TelemetryDependencies, "figures" | "onProblems">;
export type TelemetryParts = Telemetry & AgentSpans;

type Given = LateParts & Pick<TelemetryDependencies, "section" | "variable" | "fetch">;

export function createTelemetryParts(options: GatewayOptions, given: Given): TelemetryParts {
  const { brand, clock, ids, log, version } = options;
  const own = { clock, version, instanceId: ids.uuid(), log: log.child("telemetry"), product: brand.name };
  const telemetry = createTelemetry({ ...own, ...given });
  return { ...telemetry, ...createAgentSpans(telemetry) };
}
