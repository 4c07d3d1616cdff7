// The figures of one Gateway: what its parts tell or are wrapped to tell. Names and labels are for people who write alerts: they stay.

import type { Clock } from "../../base/clock.ts";
import type { Fault } from "../../base/fault.ts";
import type { Database } from "../../platform/database.ts";
import type { SendOutcome } from "../../ports/message.ts";
import type { Model, ModelEvent } from "../../ports/model.ts";
import type { TurnRunner } from "../../ports/turn.ts";
import { createCounter, createHistogram } from "./instruments.ts";
import type { Family } from "./family.ts";

export interface Metrics {
  /** `method` is undefined for one that does not exist; `isWaiting`: it takes as long as something elsewhere takes. */
  requestAnswered(answered: { method: string | undefined; fault?: Fault; ms: number; isWaiting: boolean }): void;
  httpAnswered(answered: { route: string; method: string; status: number; ms: number }): void;
  /** Old things went: `what` is one of a few words of ours. */
  forgotten(what: string, count: number): void;
  sendEnded(channel: string, outcome: SendOutcome["outcome"]): void;
  measureDatabase(database: Database): Database;
  measureModel(model: Model): Model;
  measureTurns(runTurn: TurnRunner): TurnRunner;
  families(): readonly Family[];
}

const fast = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const slow = [0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];
const knownMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

function createFigures() {
  const requests = createCounter({
    name: "gateway_requests_total",
    help: "Requests over WebSocket by method and outcome: ok, or the error's code.",
    labels: ["method", "outcome"],
  });
  const requestSeconds = createHistogram(
    {
      name: "gateway_request_seconds",
      help: "Time to answer them, without those that wait for something else.",
      labels: ["method"],
    },
    fast,
  );
  const http = createCounter({
    name: "gateway_http_requests_total",
    help: "Plain HTTP answers by route and status.",
    labels: ["route", "method", "status"],
  });
  const httpSeconds = createHistogram(
    { name: "gateway_http_request_seconds", help: "Time until the end of such an answer.", labels: ["route"] },
    [...fast, ...slow.filter((bound) => bound > 10)],
  );
  const sends = createCounter({
    name: "gateway_sends_total",
    help: "Sends to channels by outcome; one message may take several.",
    labels: ["channel", "outcome"],
  });
  const writes = createHistogram(
    { name: "gateway_database_write_seconds", help: "From asking for a write to its commit.", labels: [] },
    fast,
  );
  const failedWrites = createCounter({
    name: "gateway_database_write_failures_total",
    help: "Writes that were undone.",
    labels: [],
  });
  const calls = createCounter({
    name: "gateway_model_calls_total",
    help: "Model calls by outcome: ok, left (nobody waited any more) or the kind of failure.",
    labels: ["provider", "outcome"],
  });
  const callSeconds = createHistogram(
    { name: "gateway_model_call_seconds", help: "Time until a model call's last event.", labels: ["provider"] },
    slow,
  );
  const tokens = createCounter({
    name: "gateway_model_tokens_total",
    help: "Tokens as providers count them.",
    labels: ["provider", "kind"],
  });
  const turns = createCounter({
    name: "gateway_turns_total",
    help: "Attempts at turns that ended: end, failed, aborted.",
    labels: ["outcome"],
  });
  const turnSeconds = createHistogram({ name: "gateway_turn_seconds", help: "Time that they took.", labels: [] }, slow);
  const forgotten = createCounter({
    name: "gateway_retention_removed_total",
    help: "What was removed because of its age or the disk's budget: sessions, archives, rows, logs, restore-points, snapshots, leftovers.",
    labels: ["what"],
  });
  // shown from the first page on, so that a rate can be told of the first failure
  failedWrites.add({}, 0);
  return {
    requests,
    requestSeconds,
    http,
    httpSeconds,
    sends,
    writes,
    failedWrites,
    calls,
    callSeconds,
    tokens,
    turns,
    turnSeconds,
    forgotten,
  };
}

type Figures = ReturnType<typeof createFigures>;

export function createMetrics(clock: Clock): Metrics {
  const figures = createFigures();
  return {
    requestAnswered({ method = "unknown", fault, ms, isWaiting }) {
      figures.requests.add({ method, outcome: fault?.code ?? "ok" });
      if (!isWaiting) figures.requestSeconds.observe({ method }, ms / 1000);
    },
    httpAnswered({ route, method, status, ms }) {
      figures.http.add({ route, method: knownMethods.has(method) ? method : "other", status: String(status) });
      figures.httpSeconds.observe({ route }, ms / 1000);
    },
    forgotten(what, count) {
      if (count > 0) figures.forgotten.add({ what }, count);
    },
    sendEnded: (channel, outcome) => figures.sends.add({ channel, outcome }),
    measureDatabase: (database) => measureDatabase(database, figures, clock),
    measureModel: (model) => measureModel(model, figures, clock),
    measureTurns: (runTurn) => measureTurns(runTurn, figures, clock),
    families: () => Object.values(figures).map((figure) => figure.family()),
  };
}

function measureDatabase(database: Database, { writes, failedWrites }: Figures, clock: Clock): Database {
  return {
    ...database,
    async write(task) {
      const startedAt = clock.monotonic();
      try {
        return await database.write(task);
      } catch (error) {
        failedWrites.add({});
        throw error;
      } finally {
        writes.observe({}, (clock.monotonic() - startedAt) / 1000);
      }
    },
  };
}

function measureModel(model: Model, { calls, callSeconds, tokens }: Figures, clock: Clock): Model {
  const { provider } = model;
  const note = (event: ModelEvent) => {
    if (event.type !== "end") return event.type === "failed" ? event.failure : undefined;
    const { input, output, cacheRead, cacheWrite } = event.usage;
    for (const [kind, count] of Object.entries({ input, output, cache_read: cacheRead, cache_write: cacheWrite }))
      tokens.add({ provider, kind }, count);
    return "ok";
  };
  return {
    ...model,
    async *stream(request) {
      const startedAt = clock.monotonic();
      let outcome: string | undefined;
      try {
        for await (const event of model.stream(request)) {
          outcome = note(event) ?? outcome;
          yield event;
        }
      } finally {
        // a call that was given up ends with whatever its provider makes of that
        if (outcome !== "ok" && request.signal.aborted) outcome = undefined;
        calls.add({ provider, outcome: outcome ?? "left" });
        callSeconds.observe({ provider }, (clock.monotonic() - startedAt) / 1000);
      }
    },
  };
}

function measureTurns(runTurn: TurnRunner, { turns, turnSeconds }: Figures, clock: Clock): TurnRunner {
  return async function* (request) {
    const startedAt = clock.monotonic();
    for await (const event of runTurn(request)) {
      if (event.type === "end" || event.type === "failed" || event.type === "aborted") {
        turns.add({ outcome: event.type });
        turnSeconds.observe({}, (clock.monotonic() - startedAt) / 1000);
      }
      yield event;
    }
  };
}
