// The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

import type { Distribution, Family, Labels } from "./family.ts";

export const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** Families without samples are left out. */
export function renderPage(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(renderFamily)
    .join("");
}

interface Line {
  /** Behind the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

function renderFamily(family: Family): string {
  const { name, help, type } = family;
  const lines: readonly Line[] =
    family.type === "histogram" ? family.samples.flatMap((sample) => toLines(sample, family.bounds)) : family.samples;
  const texts = lines.map(
    ({ suffix = "", labels = {}, value }) => `${name}${suffix}${renderLabels(labels)} ${renderNumber(value)}\n`,
  );
  return `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n${texts.join("")}`;
}

function toLines({ labels, counts, sum, count }: Distribution, bounds: readonly number[]): Line[] {
  let below = 0;
  const filled = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return { suffix: "_bucket", labels: { ...labels, le: String(bound) }, value: below };
  });
  return [
    ...filled,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ];
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value).replaceAll('"', '\\"')}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function renderNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
