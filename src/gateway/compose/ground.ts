// What every part of a Gateway stands on: its config, the database, the bus, the way out, who runs the services.

import { fileVariables } from "../../config/substitute.ts";
import type { RoutePolicy } from "../../conversation/route.ts";
import { createBus, type Bus } from "../../platform/bus.ts";
import type { Database } from "../../platform/database.ts";
import { createEgress, type Egress } from "../../platform/egress.ts";
import { withVariables, type Env } from "../../platform/env.ts";
import { createSupervisor, type Supervisor } from "../../platform/supervisor.ts";
import { createTopics } from "../../platform/topics.ts";
import type { Topics } from "../../ports/topics.ts";
import type { Config } from "../../settings/config.ts";
import { createMetrics, type Metrics } from "../metrics/metrics.ts";
import type { GatewayOptions } from "../options.ts";
import { toRoutePolicy } from "../policies.ts";
import { createTelemetryParts, type LateParts, type TelemetryParts } from "../telemetry/parts.ts";

export interface Ground {
  readonly options: GatewayOptions;
  /** As it is now. */
  readonly config: () => Config;
  /** For as long as this Gateway lives: whoever mends the config starts it anew. */
  readonly isSafe: boolean;
  readonly env: Env;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly bus: Bus;
  readonly egress: Egress;
  readonly supervisor: Supervisor;
  readonly topics: Topics;
  readonly telemetry: TelemetryParts;
  readonly routePolicy: () => RoutePolicy;
}

export function openGround(options: GatewayOptions, late: LateParts): Ground {
  const { brand, clock, log } = options;
  const config = () => options.config.current();
  const metrics = createMetrics(clock);
  // keys that the config keeps in its env section are found like those of the process
  const env = withVariables(brand, options.env, fileVariables(config()));
  const egress = createEgress({ clock });
  return {
    options,
    config,
    isSafe: options.config.snapshot().source === "safe",
    env,
    metrics,
    database: metrics.measureDatabase(options.database),
    bus: createBus(log.child("bus")),
    egress,
    supervisor: createSupervisor({ clock, log: log.child("supervisor") }),
    topics: createTopics(),
    telemetry: createTelemetryParts(options, {
      section: () => config().diagnostics,
      variable: env.raw,
      fetch: egress.fetch,
      ...late,
    }),
    routePolicy: () => toRoutePolicy(config()),
  };
}
