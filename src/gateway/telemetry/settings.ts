// What is exported, where to and how: the config's `diagnostics.otel`, then OpenTelemetry's standard variables, then the defaults of
// its specification. Pure.

import type { Config } from "../../settings/config.ts";
import { createVariables, type Problem, type Variables } from "./variables.ts";

export type Protocol = "http/protobuf" | "http/json";

export interface Destination {
  readonly url: string;
  readonly protocol: Protocol;
  readonly headers: Readonly<Record<string, string>>;
  /** For one export with all its tries. */
  readonly timeoutMs: number;
  readonly isGzip: boolean;
}

export interface Sampling {
  readonly root: "all" | "none" | "share";
  /** 0 to 1, of traces that begin here. */
  readonly share: number;
  /** What comes with a trace of its own is decided as that was. */
  readonly isParentBased: boolean;
}

export interface TelemetrySettings {
  readonly traces: (Destination & { readonly sampling: Sampling; readonly batch: Batch }) | undefined;
  readonly metrics: (Destination & { readonly intervalMs: number }) | undefined;
  /** What all of it is said to come from. */
  readonly resource: Readonly<Record<string, string>>;
}

/** Spans that wait: what is more than `maxWaiting` is dropped. */
export interface Batch {
  readonly delayMs: number;
  readonly maxWaiting: number;
  readonly maxSize: number;
}

export interface Decision {
  /** undefined: nothing is exported. */
  readonly settings: TelemetrySettings | undefined;
  readonly problems: readonly Problem[];
}

type Section = NonNullable<Config["diagnostics"]>;
type Signal = "traces" | "metrics";
const signals: readonly Signal[] = ["traces", "metrics"];

const defaultEndpoint = "http://localhost:4318";
/** Exports more often than that would be traffic and little else. */
const minIntervalMs = 1_000;

export function decideTelemetry(
  section: Section | undefined,
  read: (name: string) => string | undefined,
  product: string,
): Decision {
  const problems: Problem[] = [];
  const variables = createVariables(read, (problem) => problems.push(problem));
  const wish = decideWish(section, variables);
  if (wish === "half")
    problems.push({
      message: "diagnostics.otel.enabled is set and nothing is exported",
      next: "set diagnostics.enabled to true as well",
    });
  if (wish !== "config" && wish !== "environment") return { settings: undefined, problems };

  const asked: Asked = {
    otel: section?.otel ?? {},
    variables,
    isByConfig: wish === "config",
    note: (problem) => problems.push(problem),
  };
  if (asked.otel.logs === true)
    problems.push({
      message: "diagnostics.otel.logs is set and logs are not exported",
      next: "read them with `logs`, or have the collector read the log file",
    });
  const traces = decideDestination("traces", asked);
  const metrics = decideDestination("metrics", asked);
  if (!traces && !metrics) return { settings: undefined, problems };
  return {
    settings: {
      traces: traces && { ...traces, sampling: decideSampling(asked), batch: decideBatch(variables) },
      metrics: metrics && { ...metrics, intervalMs: decideInterval(asked) },
      resource: decideResource(asked, product),
    },
    problems,
  };
}

/** The switch of OpenTelemetry turns all of it off; what the config says of itself comes before an endpoint in the environment. */
function decideWish(section: Section | undefined, variables: Variables): "config" | "environment" | "half" | "none" {
  if (variables.isTrue("OTEL_SDK_DISABLED")) return "none";
  const isOn = section?.otel?.enabled;
  if (isOn === true && section?.enabled === true) return "config";
  if (isOn === false || section?.enabled === false) return "none";
  const names = ["OTEL_EXPORTER_OTLP_ENDPOINT", ...signals.map((signal) => `${prefixOf(signal)}_ENDPOINT`)];
  if (names.some((name) => variables.text(name) !== undefined)) return "environment";
  return isOn === true ? "half" : "none";
}

interface Asked {
  readonly otel: NonNullable<Section["otel"]>;
  readonly variables: Variables;
  readonly isByConfig: boolean;
  readonly note: (problem: Problem) => void;
}

const prefixOf = (signal: Signal) => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}`;

function decideDestination(signal: Signal, asked: Asked): Destination | undefined {
  const { otel, variables } = asked;
  if (!isWanted(signal, asked)) return undefined;
  const url = decideUrl(signal, asked);
  const protocol = url && decideProtocol(signal, asked);
  if (!url || !protocol) return undefined;
  /** The signal's own variable, then the one for all. */
  const own = (name: string) => [`${prefixOf(signal)}_${name}`, `OTEL_EXPORTER_OTLP_${name}`];
  const timeoutMs = firstOf(own("TIMEOUT"), (name) => variables.number(name, { min: 1 }));
  const compression = firstOf(own("COMPRESSION"), (name) => variables.text(name));
  const headers = {
    ...variables.pairs("OTEL_EXPORTER_OTLP_HEADERS"),
    ...variables.pairs(`${prefixOf(signal)}_HEADERS`),
    ...otel.headers,
  };
  return {
    url,
    protocol,
    headers: checkHeaders(headers, asked),
    timeoutMs: timeoutMs ?? 10_000,
    isGzip: compression === "gzip",
  };
}

function isWanted(signal: Signal, { otel, variables, note }: Asked): boolean {
  const said = otel[signal];
  if (said !== undefined) return said;
  const name = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const exporters = (variables.text(name) ?? "otlp").split(",").map((word) => word.trim());
  if (exporters.includes("otlp")) return true;
  if (!exporters.includes("none"))
    note({
      message: `${name} names an exporter that is not there; ${signal} are not exported`,
      next: "use otlp or none",
    });
  return false;
}

/** An endpoint for one signal is meant as it stands; one for all gets the signal's path. */
function decideUrl(signal: Signal, asked: Asked): string | undefined {
  const { text, name, isOwn } = findEndpoint(signal, asked);
  // an endpoint of the other signal alone says nothing about this one
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    const message = `${name} is no address of a collector; ${signal} are not exported`;
    asked.note({ message, next: "write it as http://host:4318" });
    return undefined;
  }
  if (!isOwn) url.pathname = `${url.pathname.replace(/\/(?:v1\/(?:traces|metrics|logs)\/?)?$/u, "")}/v1/${signal}`;
  return url.href;
}

interface Endpoint {
  readonly text: string | undefined;
  readonly name: string;
  readonly isOwn: boolean;
}

function findEndpoint(signal: Signal, { otel, variables, isByConfig }: Asked): Endpoint {
  if (otel.endpoint !== undefined) return { text: otel.endpoint, name: "diagnostics.otel.endpoint", isOwn: false };
  const ownName = `${prefixOf(signal)}_ENDPOINT`;
  const own = variables.text(ownName);
  if (own !== undefined) return { text: own, name: ownName, isOwn: true };
  const name = "OTEL_EXPORTER_OTLP_ENDPOINT";
  return { text: variables.text(name) ?? (isByConfig ? defaultEndpoint : undefined), name, isOwn: false };
}

function decideProtocol(signal: Signal, { otel, variables, note }: Asked): Protocol | undefined {
  const names = [`${prefixOf(signal)}_PROTOCOL`, "OTEL_EXPORTER_OTLP_PROTOCOL"];
  const word = otel.protocol ?? firstOf(names, (name) => variables.text(name)) ?? "http/protobuf";
  if (word === "http/protobuf" || word === "http/json") return word;
  const message = word === "grpc" ? "gRPC is not spoken to the collector" : "the collector's protocol is not known";
  note({
    message: `${message}; ${signal} are not exported`,
    next: "use http/protobuf, which collectors take on port 4318",
  });
  return undefined;
}

/** One that HTTP does not take is left out, or no export would work. */
function checkHeaders(headers: Readonly<Record<string, string>>, { note }: Asked): Readonly<Record<string, string>> {
  const isGood = ([name, value]: readonly [string, string]) =>
    /^[\w!#$%&'*+.^`|~-]+$/u.test(name) && /^[\t\u0020-\u007e\u0080-\u00ff]*$/u.test(value);
  const entries = Object.entries(headers);
  if (!entries.every(isGood))
    note({
      message: "a header for the collector is no HTTP header; it is left out",
      next: "see diagnostics.otel.headers and OTEL_EXPORTER_OTLP_HEADERS",
    });
  return Object.fromEntries(entries.filter(isGood));
}

const samplers: Readonly<Record<string, Sampling["root"]>> = {
  always_on: "all",
  always_off: "none",
  traceidratio: "share",
};

function decideSampling({ otel, variables, note }: Asked): Sampling {
  if (otel.sampleRate !== undefined) return { root: "share", share: otel.sampleRate, isParentBased: true };
  const name = variables.text("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const root = samplers[name.replace(/^parentbased_/u, "")];
  const share = variables.number("OTEL_TRACES_SAMPLER_ARG", { min: 0, max: 1 }) ?? 1;
  if (root !== undefined) return { root, share, isParentBased: name.startsWith("parentbased_") };
  note({
    message: "OTEL_TRACES_SAMPLER names no sampler; all traces are exported",
    next: `use one of ${Object.keys(samplers).join(", ")}, with parentbased_ in front or without`,
  });
  return { root: "all", share: 1, isParentBased: true };
}

function decideBatch(variables: Variables): Batch {
  const maxWaiting = variables.number("OTEL_BSP_MAX_QUEUE_SIZE", { min: 1 }) ?? 2_048;
  const maxSize = variables.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", { min: 1 }) ?? 512;
  const delayMs = variables.number("OTEL_BSP_SCHEDULE_DELAY", { min: 0 }) ?? 5_000;
  return { maxWaiting, maxSize: Math.min(maxSize, maxWaiting), delayMs };
}

function decideInterval({ otel, variables }: Asked): number {
  const asked = otel.flushIntervalMs ?? variables.number("OTEL_METRIC_EXPORT_INTERVAL", { min: 1 }) ?? 60_000;
  return Math.max(minIntervalMs, asked);
}

function decideResource({ otel, variables }: Asked, product: string): Readonly<Record<string, string>> {
  const attributes = variables.pairs("OTEL_RESOURCE_ATTRIBUTES");
  const name = otel.serviceName ?? variables.text("OTEL_SERVICE_NAME") ?? attributes["service.name"] ?? product;
  return { ...attributes, "service.name": name };
}

function firstOf<T>(names: readonly string[], read: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = read(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
