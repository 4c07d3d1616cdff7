// `auth`, `broadcast`, `diagnostics`, `update`, `wizard`: keys of whoever runs the Gateway. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, later, map, numeric, text, texts, whole } from "./key.ts";

export const auth = later(
  {
    profiles: map(
      Type.Object({
        provider: text("Model provider"),
        mode: choice(["api_key", "oauth", "token"], "Kind of credential"),
        email: text("Account"),
      }),
      "Stored credentials by id; the credentials themselves are not in this file",
    ),
    order: map(Type.Array(Type.String()), "Which credential is tried first, by provider"),
    cooldowns: later(
      {
        billingBackoffHours: numeric("Rest after a billing error", { minimum: 0 }),
        billingBackoffHoursByProvider: map(Type.Number(), "The same by provider"),
        billingMaxHours: numeric("Longest rest", { minimum: 0 }),
        failureWindowHours: numeric("How long failures count", { minimum: 0 }),
      },
      "Rest after errors",
    ),
  },
  "Stored credentials and their order",
  { reload: "restart" },
);

/** Its other keys are chat ids, each with a list of agents. */
export const broadcast = later(
  { strategy: choice(["parallel", "sequential"], "At the same time, or in turn") },
  "Several agents in one chat",
  { reload: "restart" },
);

export const diagnostics = later(
  {
    enabled: flag("Collect figures"),
    flags: texts("Parts of the Gateway whose debug lines are written and shown, such as telegram.*", {
      reload: "none",
    }),
    otel: later(
      {
        enabled: flag("Export"),
        endpoint: text("Collector"),
        protocol: choice(["http/protobuf", "grpc"], "Wire form"),
        headers: map(Type.String({ secret: true }), "Sent with each export"),
        serviceName: text("Name of this Gateway"),
        traces: flag("Traces"),
        metrics: flag("Metrics"),
        logs: flag("Logs"),
        sampleRate: numeric("Share of traces", { minimum: 0, maximum: 1 }),
        flushIntervalMs: whole("Interval", { minimum: 1 }),
      },
      "OpenTelemetry",
    ),
    cacheTrace: anything("Prompt cache trace"),
  },
  "Diagnostics",
  { reload: "restart" },
);

export const update = later(
  {
    channel: choice(["stable", "beta", "dev"], "Which releases"),
    checkOnStart: flag("Look for a newer one at start"),
  },
  "Updates",
  { reload: "restart" },
);

export const wizard = later(
  {
    lastRunAt: text("When"),
    lastRunVersion: text("With which version"),
    lastRunCommit: text("With which commit"),
    lastRunCommand: text("By which command"),
    lastRunMode: text("local or remote"),
  },
  "Stamped by the setup",
  { reload: "none" },
);
