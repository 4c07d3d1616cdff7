// What counts and measures over the life of a Gateway. The number of label sets has an end: what comes beyond it is added up as `other`.

import type { Family, Labels } from "./family.ts";

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
  const series = createSeries(labels, (): Counted => ({ counts: bounds.map(() => 0), sum: 0, count: 0 }));
  return {
    observe(values, value) {
      const state = series.of(values);
      state.sum += value;
      state.count += 1;
      const index = bounds.findIndex((bound) => value <= bound);
      if (index >= 0) state.counts[index] = (state.counts[index] ?? 0) + 1;
    },
    family: () => ({
      name,
      help,
      type: "histogram",
      bounds,
      samples: series.all().map(({ labels: own, state }) => ({ labels: own, ...state })),
    }),
  };
}

interface Counted {
  readonly counts: number[];
  sum: number;
  count: number;
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
