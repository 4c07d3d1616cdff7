// Spans and figures on their way to the collector: OpenTelemetry's own SDK and wire forms, sent through our own way out. Imported when
// something is exported, never before.

import { ROOT_CONTEXT, SpanKind as Kinds, SpanStatusCode, trace } from "@opentelemetry/api";
import { ExportResultCode, parseTraceParent, type ExportResult } from "@opentelemetry/core";
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { defaultResource, resourceFromAttributes, type Resource } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from "@opentelemetry/sdk-trace";

import { sleep, type Clock } from "../../base/clock.ts";
import type { BeginSpan, Span, SpanKind } from "../../base/trace.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Family } from "../metrics/family.ts";
import { toMetricData } from "./metric-data.ts";
import { createPost, type Post } from "./post.ts";
import type { Destination, Sampling, TelemetrySettings } from "./settings.ts";
import type { Problem } from "./variables.ts";

export interface ExportDependencies {
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  readonly version: string;
  /** Names this life of the Gateway. */
  readonly instanceId: string;
  readonly figures: () => Promise<readonly Family[]>;
  /** Since when the figures are counted, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Each export's end; undefined: the collector has it. */
  readonly onExported: (signal: "traces" | "metrics", problem: Problem | undefined) => void;
}

export interface Exporting {
  /** Absent: traces are not exported. */
  readonly beginSpan: BeginSpan | undefined;
  /** Sends what waits, for `budgetMs` at most. Never throws. */
  close(budgetMs: number): Promise<void>;
}

const scope = "gateway";
/** For what was broken off to say so. */
const abortMs = 100;
/** No word of ours is longer; what might get into one from elsewhere is cut. */
const maxLength = 200;

export function openExport(settings: TelemetrySettings, dependencies: ExportDependencies): Exporting {
  const { clock, version, instanceId } = dependencies;
  const closing = new AbortController();
  const post = (destination: Destination) => createPost(destination, { ...dependencies, closing: closing.signal });
  const own = { "service.version": version, "service.instance.id": instanceId, ...settings.resource };
  const resource = defaultResource().merge(resourceFromAttributes(own));
  const tracing = settings.traces && openTraces(settings.traces, { ...dependencies, resource, post });
  const metering = settings.metrics && openMetrics(settings.metrics, { ...dependencies, resource, post });
  return {
    beginSpan: tracing && createBeginSpan(tracing.getTracer(scope, version)),
    async close(budgetMs) {
      const ended = Promise.allSettled([tracing?.shutdown(), metering?.shutdown()]);
      await Promise.race([ended, sleep(clock, budgetMs)]);
      // what is still under way holds neither the process nor a connection
      closing.abort();
      await Promise.race([ended, sleep(clock, abortMs)]);
    },
  };
}

interface Opening extends ExportDependencies {
  readonly resource: Resource;
  readonly post: (destination: Destination) => Post;
}

function openTraces(settings: NonNullable<TelemetrySettings["traces"]>, opening: Opening): TracerProvider {
  const { sampling, batch, timeoutMs, protocol } = settings;
  const send = createSend("traces", opening.post(settings), opening);
  const serializer = protocol === "http/json" ? JsonTraceSerializer : ProtobufTraceSerializer;
  const exporter = {
    export: (spans: Parameters<typeof serializer.serializeRequest>[0], done: Done) =>
      send(serializer.serializeRequest(spans), done),
    shutdown: async () => undefined,
  };
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: batch.maxWaiting,
    maxExportBatchSize: batch.maxSize,
    scheduledDelayMillis: batch.delayMs,
    // ours ends before, so that what it waits for has come to its own end
    exportTimeoutMillis: timeoutMs + 5_000,
  });
  const { resource } = opening;
  const spanLimits = { attributeValueLengthLimit: maxLength };
  return new TracerProvider({ resource, sampler: createSampler(sampling), spanProcessors: [processor], spanLimits });
}

function openMetrics(settings: NonNullable<TelemetrySettings["metrics"]>, opening: Opening): MeterProvider {
  const { intervalMs, timeoutMs, protocol } = settings;
  const { resource, figures, clock, startedAt, version } = opening;
  const send = createSend("metrics", opening.post(settings), opening);
  const serializer = protocol === "http/json" ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  const exporter = {
    export: (metrics: Parameters<typeof serializer.serializeRequest>[0], done: Done) =>
      send(serializer.serializeRequest(metrics), done),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const producer = {
    async collect() {
      const metrics = toMetricData(await figures(), startedAt, clock.now());
      return {
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: scope, version }, metrics }] },
        errors: [],
      };
    },
  };
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, timeoutMs + 5_000),
    metricProducers: [producer],
  });
  return new MeterProvider({ resource, readers: [reader] });
}

type Done = (result: ExportResult) => void;

function createSend(signal: "traces" | "metrics", post: Post, { onExported }: ExportDependencies) {
  return (body: Uint8Array | undefined, done: Done): void => {
    const end = (problem: Problem | undefined) => {
      onExported(signal, problem);
      done({ code: problem ? ExportResultCode.FAILED : ExportResultCode.SUCCESS });
    };
    if (!body) return done({ code: ExportResultCode.FAILED });
    post(body).then(end, () => end({ message: "it cannot be sent", next: "see diagnostics.otel" }));
  };
}

function createSampler({ root, share, isParentBased }: Sampling): Sampler {
  const roots = { all: () => new AlwaysOnSampler(), none: () => new AlwaysOffSampler() };
  const sampler = root === "share" ? new TraceIdRatioBasedSampler(share) : roots[root]();
  return isParentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}

const kinds: Readonly<Record<SpanKind, Kinds>> = {
  internal: Kinds.INTERNAL,
  server: Kinds.SERVER,
  client: Kinds.CLIENT,
  consumer: Kinds.CONSUMER,
  producer: Kinds.PRODUCER,
};

function createBeginSpan(tracer: ReturnType<TracerProvider["getTracer"]>): BeginSpan {
  return (name, { kind = "internal", parent, startedAt: startTime, attributes = {} } = {}): Span => {
    const from = parent === undefined ? null : parseTraceParent(parent);
    const around = from ? trace.setSpanContext(ROOT_CONTEXT, { ...from, isRemote: true }) : ROOT_CONTEXT;
    const span = tracer.startSpan(name.slice(0, maxLength), { kind: kinds[kind], startTime, attributes }, around);
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      context: `00-${traceId}-${spanId}-${traceFlags % 2 === 1 ? "01" : "00"}`,
      end({ attributes: more = {}, error, endedAt } = {}) {
        span.setAttributes(error === undefined ? more : { ...more, "error.type": error });
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(endedAt);
      },
    };
  };
}
