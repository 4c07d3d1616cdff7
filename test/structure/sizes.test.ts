// The size checker itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { judge } from "../../scripts/sizes.ts";

const lines = (count: number) => "x\n".repeat(count);

test("300 lines pass, 301 are asked about, 501 fail", () => {
  assert.deepEqual(judge("src/a/b.ts", lines(300)), {});
  assert.match(judge("src/a/b.ts", lines(301)).question ?? "", /301 lines/u);
  assert.match(judge("src/a/b.ts", lines(500)).question ?? "", /500 lines/u);
  assert.match(judge("src/a/b.ts", lines(501)).problem ?? "", /501 lines/u);
});

test("names that say nothing fail, as a file, a folder or a part of a name", () => {
  for (const path of [
    "src/a/utils.ts",
    "src/a/string-helpers.ts",
    "src/common/x.ts",
    "src/a/types.ts",
    "src/a/lane-manager.test.ts",
    "test/misc.ts",
  ]) {
    assert.match(judge(path, "").problem ?? "", /name says nothing/u, path);
  }
  for (const path of ["src/a/utility-bill.ts", "src/a/prototypes.ts", "src/a/shape.ts"])
    assert.deepEqual(judge(path, ""), {}, path);
});
