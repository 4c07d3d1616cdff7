import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { codeOf, isCode, reasonOf } from "./error-code.ts";

const missing: unknown = await readFile(join(tmpdir(), "no such file, surely")).catch((error: unknown) => error);

describe("the code of an error", () => {
  test("is what the system says, and one of several may be asked for", () => {
    assert.equal(codeOf(missing), "ENOENT");
    assert.ok(isCode(missing, "ENOTDIR", "ENOENT"));
    assert.ok(!isCode(missing, "EACCES"));
    assert.equal(reasonOf(missing), "ENOENT");
  });

  test("is nothing for errors without one, with a number for one, and for what is no error", () => {
    const numbered = Object.assign(new Error("a database's"), { code: 5 });
    for (const error of [new Error("plain"), numbered, { code: "ENOENT" }, undefined, "ENOENT"]) {
      assert.equal(codeOf(error), undefined);
      assert.ok(!isCode(error, "ENOENT"));
      assert.ok(!isCode(error));
    }
    assert.equal(reasonOf(new Error("plain")), "plain");
  });
});
