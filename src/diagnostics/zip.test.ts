import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { unzip } from "../../test/kit/unzip.ts";
import { renderZip } from "./zip.ts";

test("whatever is in it comes out of it again, by any program (R45)", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z][a-z/.-]{0,20}$/u), fc.string({ maxLength: 2_000 })),
      (files) => {
        const entries = Object.entries(files).map(([path, text]) => ({ path, text: text.toWellFormed() }));
        const read = unzip(renderZip(entries, 1_795_280_161_571));
        assert.deepEqual(
          [...read],
          entries.map(({ path, text }) => [path, text]),
        );
      },
    ),
  );
});
