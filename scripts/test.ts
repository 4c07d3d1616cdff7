// `npm test`: build, checks, unit tests, then tests of the whole, in a temporary home. `unit`, `e2e` and `faults` run one part.
// The last line counts all tests: `N passed, N failed`.

import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { root, run } from "./run.ts";

const node = process.execPath;
const part = process.argv[2] ?? "all";
const home = mkdtempSync(join(tmpdir(), "gateway-test-"));
const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, TMPDIR: home, NO_COLOR: "1" };
// keys and settings of the person who runs the tests must not reach them
for (const name of Object.keys(env)) {
  if (/^(?:OPENCLAW|CLAWDBOT)_|_API_KEY$|^TELEGRAM_BOT_TOKEN$/u.test(name)) delete env[name];
}

let passed = 0;
let failed = 0;

async function step(name: string, argv: readonly string[]): Promise<void> {
  console.log(`\n== ${name}`);
  const ran = await run([node, ...argv], { env, isShown: true });
  const count = (word: string) => Number(new RegExp(`^ℹ ${word} (\\d+)`, "mu").exec(ran.output)?.[1] ?? 0);
  passed += count("pass");
  failed += count("fail") + count("cancelled");
  if (ran.code !== 0 && count("fail") + count("cancelled") === 0) failed += 1;
  console.log(`   ${ran.seconds.toFixed(1)} s`);
}

const tests = (pattern: string) => globSync(pattern, { cwd: root }).toSorted();
const runner = ["--test", "--test-reporter=spec", "--test-concurrency=2"];

async function runTests(name: string, pattern: string, extra: readonly string[] = []): Promise<void> {
  const files = tests(pattern);
  if (files.length > 0) await step(name, [...runner, ...extra, ...files]);
}

try {
  if (part !== "unit") await step("build", ["scripts/build.ts", "--if-stale"]);
  if (part === "all") await step("check", ["scripts/check.ts"]);
  if (part === "all" || part === "unit") await runTests("unit tests", "src/**/*.test.ts", ["--test-isolation=none"]);
  if (part === "all" || part === "e2e")
    await runTests("tests of the whole", "test/{structure,conformance,e2e}/**/*.test.ts");
  if (part === "all") env["FAULTS_KILLS"] ??= "12";
  if (part === "all" || part === "faults") await runTests("faults", "test/faults/**/*.test.ts");
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
