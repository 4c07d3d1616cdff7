// `auth`, `broadcast`, `diagnostics`, `update`, `wizard`: keys of whoever runs the Gateway. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, later, map, numeric, optionalGroup, text, texts, whole } from "./key.ts";

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
    enabled: flag("Figures and traces may leave this machine", { reload: "hot" }),
    flags: texts("Parts of the Gateway whose debug lines are written and shown, such as telegram.*", {
      reload: "none",
    }),
    otel: optionalGroup(
      {
        enabled: flag("Export to a collector of OpenTelemetry; diagnostics.enabled must be true too"),
        endpoint: text("Address of the collector, such as http://host:4318; /v1/traces and /v1/metrics are added"),
        protocol: choice(
          ["http/protobuf", "http/json", "grpc"],
          "Wire form; grpc is not spoken, and nothing is exported",
        ),
        headers: map(Type.String({ secret: true }), "Sent with each export, such as an authorization"),
        serviceName: text("Name of this Gateway"),
        traces: flag("Traces, from a message to the delivery of its reply"),
        metrics: flag("The figures of /metrics"),
        logs: flag("Logs; they are not exported"),
        sampleRate: numeric("Share of traces", { minimum: 0, maximum: 1 }),
        flushIntervalMs: whole("Time between two exports of metrics, at least 1000", { minimum: 1 }),
      },
      "Export to OpenTelemetry; what is not said here, its standard variables say",
      { reload: "hot" },
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
