// The figures of /metrics in the form of OpenTelemetry's metrics. Names stay: whoever reads both sees the same.

import { ValueType, type HrTime } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";

import type { Distribution, Family } from "../metrics/family.ts";

interface Period {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** Both in milliseconds since the epoch: since when it is counted, and now. */
export function toMetricData(families: readonly Family[], startedAt: number, now: number): MetricData[] {
  const period: Period = { startTime: millisToHrTime(startedAt), endTime: millisToHrTime(now) };
  return families.filter(({ samples }) => samples.length > 0).map((family) => toMetric(family, period));
}

function toMetric(family: Family, period: Period): MetricData {
  const common = {
    descriptor: {
      name: family.name,
      description: family.help,
      unit: unitOf(family.name),
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (family.type === "histogram") {
    const dataPoints = family.samples.map((sample) => ({
      ...period,
      attributes: sample.labels,
      value: toHistogram(sample, family.bounds),
    }));
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = family.samples.map(({ labels = {}, value }) => ({ ...period, attributes: labels, value }));
  return family.type === "counter"
    ? { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** What is above the last bound has a bucket of its own here. */
function toHistogram({ counts, sum, count }: Distribution, bounds: readonly number[]) {
  const rest = count - counts.reduce((total, one) => total + one, 0);
  return { buckets: { boundaries: [...bounds], counts: [...counts, rest] }, sum, count };
}

function unitOf(name: string): string {
  const base = name.replace(/_total$/u, "");
  if (base.endsWith("_seconds")) return "s";
  return base.endsWith("_bytes") ? "By" : "1";
}
