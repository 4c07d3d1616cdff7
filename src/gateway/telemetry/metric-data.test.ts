import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { createCounter, createHistogram } from "../metrics/instruments.ts";
import { toMetricData } from "./metric-data.ts";

test("a histogram keeps its sum and its count, and each value is in the bucket that Prometheus's bounds give it", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1 }), (values) => {
      const bounds = [0.5, 1, 10];
      const histogram = createHistogram({ name: "time_seconds", help: "h", labels: ["kind"] }, bounds);
      for (const value of values) histogram.observe({ kind: "a" }, value);
      const [data] = toMetricData([histogram.family()], 1_000, 2_000);
      assert.equal(data?.descriptor.unit, "s");
      const point = data?.dataPoints[0];
      assert.deepEqual(
        [point?.startTime, point?.endTime],
        [
          [1, 0],
          [2, 0],
        ],
      );
      assert.ok(point);
      // that of a histogram
      const { buckets, count } = point.value as { buckets: { boundaries: number[]; counts: number[] }; count: number };
      const expected = [...bounds, Number.POSITIVE_INFINITY].map(
        (bound, index) => values.filter((value) => value <= bound && value > (bounds[index - 1] ?? -1)).length,
      );
      assert.deepEqual(buckets, { boundaries: bounds, counts: expected });
      assert.equal(count, values.length);
    }),
  );
});

test("what has no samples is left out", () => {
  assert.deepEqual(toMetricData([createCounter({ name: "a_total", help: "h", labels: ["b"] }).family()], 0, 1), []);
});
