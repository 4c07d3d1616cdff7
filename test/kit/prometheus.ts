// Reads a page of Prometheus' text format by its grammar; whatever is not of it throws with the line.
// https://prometheus.io/docs/instrumenting/exposition_formats/

import assert from "node:assert/strict";

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedPage {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly ParsedSample[];
  /** The sum over all samples of that name with these labels among theirs. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/su;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/uy;
const unescaped: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" };

export function parsePage(text: string): ParsedPage {
  assert.ok(text === "" || text.endsWith("\n"), "the last line must end");
  const types = new Map<string, string>();
  const samples: ParsedSample[] = [];
  const seen = new Set<string>();
  let family = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/u.exec(line);
    if (comment) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind !== "TYPE") continue;
      assert.ok(["counter", "gauge", "histogram", "summary", "untyped"].includes(rest), line);
      assert.ok(!types.has(name), `two types: ${line}`);
      types.set(name, rest);
      family = name;
      continue;
    }
    const found = sampleLine.exec(line);
    assert.ok(found, `no sample: ${line}`);
    const [, name = "", pairs = "", number = ""] = found;
    const value = toNumber(number);
    assert.ok(!Number.isNaN(value), line);
    assert.equal(name.replace(types.get(family) === "histogram" ? /_(?:bucket|sum|count)$/u : /$^/u, ""), family, line);
    assert.ok(!seen.has(`${name}{${pairs}}`), `twice: ${line}`);
    seen.add(`${name}{${pairs}}`);
    samples.push({ name, labels: parseLabels(pairs), value });
  }
  checkHistograms(types, samples);
  const isOf = (labels: Readonly<Record<string, string>>) => (sample: ParsedSample) =>
    Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
  return {
    types,
    samples,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter(isOf(labels))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function toNumber(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const found = labelPair.exec(text);
    assert.ok(found, `no labels: ${text}`);
    at = labelPair.lastIndex;
    const [, name = "", value = ""] = found;
    assert.ok(!(name in labels), `a label twice: ${text}`);
    labels[name] = value.replaceAll(/\\(.)/gu, (_all, one: string) => unescaped[one] ?? "");
  }
  return labels;
}

/** Buckets rise, and the last one counts all. */
function checkHistograms(types: ReadonlyMap<string, string>, samples: readonly ParsedSample[]): void {
  const last = new Map<string, { le: number; value: number }>();
  for (const { name, labels, value } of samples) {
    const family = name.replace(/_(?:bucket|count)$/u, "");
    if (types.get(family) !== "histogram") continue;
    const { le, ...own } = labels;
    const key = `${family}${JSON.stringify(own)}`;
    if (name.endsWith("_bucket")) {
      const before = last.get(key) ?? { le: Number.NEGATIVE_INFINITY, value: 0 };
      const bound = toNumber(le ?? "");
      assert.ok(bound > before.le && value >= before.value, `${name} ${JSON.stringify(labels)}`);
      last.set(key, { le: bound, value });
    } else if (name.endsWith("_count")) assert.deepEqual(last.get(key), { le: Number.POSITIVE_INFINITY, value });
  }
}
