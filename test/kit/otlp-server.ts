// A collector of OpenTelemetry: takes OTLP over HTTP, as JSON and as protobuf, and keeps what it was told in one form for both.

import { createServer, type IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";

import protobuf from "protobufjs";

export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it begins the trace. */
  readonly parentSpanId: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

type Attributes = Readonly<Record<string, unknown>>;

export interface CollectedPoint {
  readonly metric: string;
  readonly kind: "gauge" | "sum" | "histogram";
  readonly unit: string;
  readonly attributes: Attributes;
  /** A histogram's: how many there are. */
  readonly value: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

export interface OtlpRequest {
  readonly path: string;
  readonly contentType: string;
  readonly headers: IncomingMessage["headers"];
  /** As it was before it was compressed. */
  readonly body: Buffer;
}

export interface OtlpServer {
  readonly url: string;
  readonly requests: readonly OtlpRequest[];
  readonly spans: readonly CollectedSpan[];
  readonly points: readonly CollectedPoint[];
  readonly connections: () => number;
  /** Status of its answers; `hang`: none. */
  answer: number | "hang";
  span(name: string, matches?: (span: CollectedSpan) => boolean): CollectedSpan | undefined;
  close(): Promise<void>;
}

/** Of opentelemetry-proto 1, what is read here: https://github.com/open-telemetry/opentelemetry-proto */
const schema = `
  syntax = "proto3";
  message AnyValue { oneof value { string stringValue = 1; bool boolValue = 2; int64 intValue = 3; double doubleValue = 4; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message Scope { string name = 1; string version = 2; }
  message Status { string message = 2; int32 code = 3; }
  message Span {
    bytes traceId = 1; bytes spanId = 2; string traceState = 3; bytes parentSpanId = 4; string name = 5; int32 kind = 6;
    fixed64 startTimeUnixNano = 7; fixed64 endTimeUnixNano = 8; repeated KeyValue attributes = 9; Status status = 15;
  }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message Traces { repeated ResourceSpans resourceSpans = 1; }
  message NumberPoint {
    fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3; oneof value { double asDouble = 4; sfixed64 asInt = 6; }
    repeated KeyValue attributes = 7;
  }
  message HistogramPoint {
    fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3; fixed64 count = 4; double sum = 5; repeated fixed64 bucketCounts = 6;
    repeated double explicitBounds = 7; repeated KeyValue attributes = 9;
  }
  message Gauge { repeated NumberPoint dataPoints = 1; }
  message Sum { repeated NumberPoint dataPoints = 1; int32 aggregationTemporality = 2; bool isMonotonic = 3; }
  message Histogram { repeated HistogramPoint dataPoints = 1; int32 aggregationTemporality = 2; }
  message Metric {
    string name = 1; string description = 2; string unit = 3;
    oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
  }
  message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scopeMetrics = 2; }
  message Metrics { repeated ResourceMetrics resourceMetrics = 1; }
`;
const { root } = protobuf.parse(schema, { keepCase: true });

// what follows is the wire form, the same for both encodings but for ids and large numbers
interface WireValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface WireSpan extends Readonly<Record<"traceId" | "spanId" | "parentSpanId", string | Uint8Array | undefined>> {
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly WireValue[];
  readonly status?: { readonly code?: number };
}
interface WirePoint {
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly count?: string | number;
  readonly bucketCounts?: readonly (string | number)[];
  readonly explicitBounds?: readonly number[];
  readonly attributes?: readonly WireValue[];
}
interface WireMetric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly WirePoint[] };
  readonly sum?: { readonly dataPoints: readonly WirePoint[] };
  readonly histogram?: { readonly dataPoints: readonly WirePoint[] };
}
interface Wire {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly WireValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly { readonly metrics?: readonly WireMetric[] }[];
  }[];
}

function decode({ path, contentType, body }: OtlpRequest): Wire {
  if (contentType === "application/json") return JSON.parse(body.toString("utf8")) as Wire;
  const type = root.lookupType(path.endsWith("/v1/traces") ? "Traces" : "Metrics");
  return type.toObject(type.decode(body), { longs: String }) as Wire;
}

const toHex = (id: string | Uint8Array | undefined) =>
  typeof id === "string" ? id : Buffer.from(id ?? []).toString("hex");

function toAttributes(values: readonly WireValue[] = []): Attributes {
  return Object.fromEntries(
    values.map(({ key, value }) => {
      const [kind = "", word] = Object.entries(value)[0] ?? [];
      return [key, kind === "intValue" ? Number(word) : word];
    }),
  );
}

function toSpans({ resourceSpans = [] }: Wire): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        kind: span.kind,
        traceId: toHex(span.traceId),
        spanId: toHex(span.spanId),
        parentSpanId: toHex(span.parentSpanId),
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        isError: span.status?.code === 2,
        attributes: toAttributes(span.attributes),
        resource: toAttributes(resource.attributes),
      })),
    ),
  );
}

function toPoints({ resourceMetrics = [] }: Wire): CollectedPoint[] {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all = [] }) => all));
  return metrics.flatMap((metric) =>
    (["gauge", "sum", "histogram"] as const).flatMap((kind) =>
      (metric[kind]?.dataPoints ?? []).map((point) => ({
        metric: metric.name,
        unit: metric.unit,
        kind,
        attributes: toAttributes(point.attributes),
        value: Number(point.asDouble ?? point.asInt ?? point.count ?? 0),
        bounds: point.explicitBounds ?? [],
        counts: (point.bucketCounts ?? []).map(Number),
      })),
    ),
  );
}

export async function startOtlpServer(): Promise<OtlpServer> {
  const requests: OtlpRequest[] = [];
  const spans: CollectedSpan[] = [];
  const points: CollectedPoint[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (collector.answer === "hang") return;
      const { headers, url: path = "" } = request;
      const sent = Buffer.concat(chunks);
      const body = headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
      const taken = { path, headers, body, contentType: headers["content-type"] ?? "" };
      requests.push(taken);
      if (collector.answer === 200) {
        const wire = decode(taken);
        spans.push(...toSpans(wire));
        points.push(...toPoints(wire));
      }
      response.writeHead(collector.answer, { "content-type": taken.contentType });
      response.end(taken.contentType === "application/json" ? "{}" : "");
    });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const collector: OtlpServer = {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    requests,
    spans,
    points,
    connections: () => connections,
    answer: 200,
    span: (name, matches = () => true) => spans.find((span) => span.name === name && matches(span)),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return collector;
}
