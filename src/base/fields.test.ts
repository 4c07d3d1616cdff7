import assert from "node:assert/strict";
import { it } from "node:test";

import fc from "fast-check";

import { Fault } from "./fault.ts";
import { asFlag, asList, asNumber, asObject, asText, asWhole, optional } from "./fields.ts";

const readers = {
  object: asObject,
  array: asList,
  string: asText,
  boolean: asFlag,
  number: asNumber(-Infinity, Infinity),
} as const;

const kindOf = (value: unknown): string => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

it("a field is what it has to be, unchanged, or a Fault names it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("object", "array", "string", "boolean", "number"), (value, kind) => {
      const read = () => readers[kind](value, "a.b[2]");
      if (kindOf(value) === kind) assert.equal(read(), value);
      else
        assert.throws(
          read,
          (error) =>
            error instanceof Fault &&
            error.code === "invalid_params" &&
            error.message.startsWith("a.b[2] must be ") &&
            error.field === "a.b[2]",
        );
    }),
  );
});

it("what is null or missing is absent, and everything else is read", () => {
  assert.equal(optional({}, "key", asText), undefined);
  assert.equal(optional({ key: null }, "key", asText), undefined);
  assert.equal(optional({ key: "" }, "key", asText), "");
  assert.equal(optional({ key: false }, "key", asFlag), false);
  assert.throws(() => optional({ key: 0 }, "key", asText), /key must be a string/u);
});

it("a number stays within its bounds, both included, and a whole number is whole", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.nat(), (value, least, span) => {
      const most = least + span;
      const isWithin = value >= least && value <= most;
      const readNumber = () => asNumber(least, most)(value, "n");
      if (isWithin) assert.equal(readNumber(), value);
      else assert.throws(readNumber, /n must be from/u);
      const readWhole = () => asWhole(least, most)(value, "n");
      if (isWithin && Number.isInteger(value)) assert.equal(readWhole(), value);
      else assert.throws(readWhole, /n must be/u);
    }),
  );
  assert.deepEqual([asNumber(1, 3)(1, "n"), asNumber(1, 3)(3, "n")], [1, 3]);
  for (const value of [Number.NaN, Infinity, -Infinity, "2", null])
    assert.throws(() => asNumber(1, 3)(value, "n"), /n must be a number/u);
});
