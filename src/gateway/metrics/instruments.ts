// What counts and measures over the life of a Gateway. The number of label sets has an end: what comes beyond it is added up as `other`.

import type { Family, Labels, Sample } from "./text.ts";

interface Description<Name extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
}

export interface Counter<Name extends string> {
  add(labels: Readonly<Record<Name, string>>, amount?: number): void;
  family(): Family;
}

export interface Histogram<Name extends string> {
  observe(labels: Readonly<Record<Name, string>>, value: number): void;
  family(): Family;
}

const maxSeries = 400;
const maxValueLength = 100;

export function createCounter<Name extends string>({ name, help, labels }: Description<Name>): Counter<Name> {
  const series = createSeries(labels, () => ({ value: 0 }));
  return {
    add(values, amount = 1) {
      series.of(values).value += amount;
    },
    family: () => ({
      name,
      help,
      type: "counter",
      samples: series.all().map(({ labels: own, state }) => ({ labels: own, value: state.value })),
    }),
  };
}

/** @param bounds upper ends of the buckets, rising, in the unit that the name ends with. */
export function createHistogram<Name extends string>(
  { name, help, labels }: Description<Name>,
  bounds: readonly number[],
): Histogram<Name> {
  const series = createSeries(labels, () => ({ buckets: bounds.map(() => 0), sum: 0, count: 0 }));
  return {
    observe(values, value) {
      const state = series.of(values);
      state.sum += value;
      state.count += 1;
      const index = bounds.findIndex((bound) => value <= bound);
      if (index >= 0) state.buckets[index] = (state.buckets[index] ?? 0) + 1;
    },
    family: () => ({
      name,
      help,
      type: "histogram",
      samples: series.all().flatMap(({ labels: own, state }) => toSamples(own, bounds, state)),
    }),
  };
}

interface Measured {
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly count: number;
}

function toSamples(labels: Labels, bounds: readonly number[], { buckets, sum, count }: Measured): Sample[] {
  let below = 0;
  const filled = bounds.map((bound, index) => {
    below += buckets[index] ?? 0;
    return { suffix: "_bucket", labels: { ...labels, le: String(bound) }, value: below };
  });
  return [
    ...filled,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ];
}

function createSeries<State, Name extends string>(names: readonly Name[], make: () => State) {
  const known = new Map<string, { readonly labels: Labels; readonly state: State }>();
  const open = (labels: Labels) => {
    const key = JSON.stringify(Object.values(labels));
    const found = known.get(key);
    if (found) return found;
    if (known.size >= maxSeries) return undefined;
    const made = { labels, state: make() };
    known.set(key, made);
    return made;
  };
  const toLabels = (pick: (name: Name) => string): Labels =>
    Object.fromEntries(names.map((name) => [name, pick(name).slice(0, maxValueLength)]));
  const rest = { labels: toLabels(() => "other"), state: make() };
  let isFull = false;
  return {
    of(values: Readonly<Record<Name, string>>): State {
      const found = open(toLabels((name) => values[name]));
      if (!found) isFull = true;
      return (found ?? rest).state;
    },
    all: () => (isFull ? [...known.values(), rest] : [...known.values()]),
  };
}
