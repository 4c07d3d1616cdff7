// How the bundle takes Node's own modules: never by `import`, which reads all of their properties and loads what hangs on them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { builtinBanner, takeBuiltins } from "../../scripts/builtin-imports.ts";
import { listEntries, readMetafile } from "../../scripts/metafile.ts";
import { root, run } from "../../scripts/run.ts";

test("every form of import gives the same values, and no column of what follows moves", () => {
  const folder = mkdtempSync(join(tmpdir(), "builtins-"));
  const imports = [
    'import{join as a,sep}from"node:path";',
    'import b from"node:path";',
    'import*as c from"node:path";',
    'import d,{sep as e}from"node:path";',
    'import{EventEmitter as f}from"events";',
  ];
  const end =
    'const $a=1;console.log(JSON.stringify([a("x","y"),sep,b.sep,c.sep,d.sep,e,new f().listenerCount("x"),$a,require("path").sep]));';
  const [text = ""] = takeBuiltins([`${builtinBanner}\n${imports.join("")}${end}`]);
  assert.equal(text.split("\n")[1]?.length, imports.join("").length + end.length);
  assert.ok(text.endsWith(end));
  assert.doesNotMatch(text, /\bimport\b[^.]/u);
  writeFileSync(join(folder, "bundle.mjs"), text);
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "bundle.mjs")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(stdout, '["x/y","/","/","/","/","/",0,1,"/"]\n', stderr);
});

test("a form that is not known stops the build", () => {
  assert.throws(() => takeBuiltins(['import a,*as b from"node:fs";']), /unknown form: import a,\*as b from"node:fs"/u);
});

test("no file of the build imports a built-in, and `--version` loads no worker threads, crypto, HTTP or file promises", async () => {
  const { code, output } = await run([process.execPath, "scripts/build.ts", "--if-stale"]);
  assert.equal(code, 0, output);
  for (const { file } of listEntries(readMetafile(join(root, "dist", "meta.json"))))
    assert.doesNotMatch(readFileSync(join(root, file), "utf8"), /\bfrom"node:/u, file);
  const tell = 'process.on("exit", () => console.error(process.moduleLoadList.join("\\n")));';
  const preload = `data:text/javascript,${encodeURIComponent(tell)}`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", preload, join(root, "bin", "openclaw.mjs"), "--version"],
    { encoding: "utf8" },
  );
  assert.match(stdout, /^\d/u);
  assert.match(stderr, /^NativeModule path$/mu);
  assert.doesNotMatch(stderr, /^NativeModule (?:worker_threads|crypto|http|https|tls|fs\/promises|child_process)$/mu);
});
