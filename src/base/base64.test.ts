import assert from "node:assert/strict";
import { describe, it } from "node:test";

import fc from "fast-check";

import { findBase64Problem, parseDataUrl } from "./base64.ts";

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const mimeType = fc.constantFrom("image/png", "application/vnd.oasis.text+xml", "text/x-a.b-c");
const parameters = fc.array(fc.stringMatching(/^[^,;]{1,20}$/u), { maxLength: 4 });

describe("base64", () => {
  it("takes what encoders write, in both alphabets, padded or not", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const padded = data.toString("base64");
        for (const text of [padded, padded.replace(/=+$/u, ""), data.toString("base64url")]) {
          assert.equal(findBase64Problem(text, data.length), undefined);
          assert.deepEqual(Buffer.from(text, "base64"), data);
        }
      }),
    );
  });

  it("refuses more bytes than the limit, rounded up to three, before it looks at them", () => {
    fc.assert(
      fc.property(bytes, fc.nat({ max: 300 }), (data, maxBytes) => {
        const isLarger = Math.ceil(data.length / 3) > Math.ceil(maxBytes / 3);
        assert.equal(findBase64Problem(data.toString("base64"), maxBytes), isLarger ? "too-large" : undefined);
      }),
    );
    assert.equal(findBase64Problem("!".repeat(100), 3), "too-large");
  });

  it("refuses a sign of no alphabet wherever it stands, and padding anywhere but at the end", () => {
    const stranger = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 3 })
      .filter((text) => /[^\w+/=-]/u.test(text));
    fc.assert(
      fc.property(bytes, stranger, fc.nat(), (data, sign, at) => {
        const text = data.toString("base64");
        const place = at % (text.length + 1);
        const spoilt = text.slice(0, place) + sign + text.slice(place);
        assert.equal(findBase64Problem(spoilt, 1_000), "not-base64");
      }),
    );
    for (const text of ["=AAA", "A=AA", "A===", "AAAA\n", " AAAA"])
      assert.equal(findBase64Problem(text, 1_000), "not-base64", text);
    assert.equal(findBase64Problem("", 0), undefined);
  });
});

describe("a data URL", () => {
  it("gives its type and its data back, whatever parameters stand between", () => {
    fc.assert(
      fc.property(mimeType, parameters, bytes, (mime, between, data) => {
        const url = `data:${[mime.toUpperCase(), ...between].join(";")};base64,${data.toString("base64")}`;
        assert.deepEqual(parseDataUrl(url), { mimeType: mime, data: data.toString("base64") });
      }),
    );
  });

  it("is nothing else: no type, no base64, no comma, another scheme", () => {
    for (const text of [
      "",
      "AAAA",
      "data:",
      "data:;base64,AAAA",
      "data:image/png,AAAA",
      "data:image/png;base64",
      " data:image/png;base64,AAAA",
      "http://localhost/data:image/png;base64,AAAA",
    ])
      assert.equal(parseDataUrl(text), undefined, text);
  });

  it("has a head of bounded length: a flood of parameters costs nothing and breaks nothing", () => {
    const flood = `data:image/png${";a".repeat(5_000_000)}`;
    assert.equal(parseDataUrl(flood), undefined);
    assert.equal(parseDataUrl(`${flood};base64,AAAA`), undefined);
  });
});
