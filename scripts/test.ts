// `npm test`: build, checks, unit tests, then tests of the whole, of load, and short runs of malformed frames and faults, in a temporary
// home. `unit`, `e2e`, `load`, `fuzz` and `faults` run one part, the last two at full length. The last line counts all tests: `N
// passed, N failed`.

import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { root, run, type Ran } from "./run.ts";

const minute = 60_000;
const node = process.execPath;
const part = process.argv[2] ?? "all";
const home = mkdtempSync(join(tmpdir(), "gateway-test-"));
// a test may start a process of another user, which has to get to its own folder in it
chmodSync(home, 0o711);
/** Names of what the runner counts, as it prints them. */
const words = ["tests", "pass", "fail", "cancelled", "skipped", "todo"] as const;
const totals = new Map<string, number>(words.map((word) => [word, 0]));
let failedSteps = 0;

/** An empty home; keys and settings of the person who runs the tests must not reach them. */
function createEnv(): NodeJS.ProcessEnv {
  const foreign = /^(?:OPENCLAW|CLAWDBOT|MOLTBOT|XDG)_|_API_KEY$|_BOT_TOKEN$|^NODE_(?:OPTIONS|TEST_CONTEXT)$/u;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    TMPDIR: temporary,
    NO_COLOR: "1",
    // children that do not choose a log folder would write to the machine's
    OPENCLAW_LOG_DIR: join(home, "log"),
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compile"),
  };
}

const env = createEnv();

async function step(name: string, argv: readonly string[], timeoutMs: number): Promise<void> {
  console.log(`\n== ${name}`);
  const ran = await run([node, ...argv], { env, isShown: true, timeoutMs });
  const failed = addTotals(ran);
  if (ran.code !== 0 && failed === 0) failedSteps++;
  console.log(`   ${ran.seconds.toFixed(1)} s${ran.code === 0 ? "" : `, ended with ${ran.code}`}`);
  endLeftovers();
}

/** @returns how many tests the step's own summary calls failed. */
function addTotals({ output }: Ran): number {
  const count = (word: string) =>
    Number([...output.matchAll(new RegExp(`^ℹ ${word} (\\d+)$`, "gmu"))].at(-1)?.[1] ?? 0);
  for (const word of words) totals.set(word, (totals.get(word) ?? 0) + count(word));
  return count("fail") + count("cancelled");
}

/** Processes that a test forgot: they carry our temporary home in their environment. */
function endLeftovers(): void {
  if (process.platform !== "linux") return;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(home)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (command === "") continue;
      process.kill(Number(pid), "SIGKILL");
      console.log(`   left running by a test, ended: ${pid} ${command.slice(0, 120)}`);
    } catch {
      // gone meanwhile, or not ours to look at
    }
  }
}

interface Selection {
  readonly pattern: string;
  readonly isolation: "none" | "process";
  /** Of one test. */
  readonly timeoutMs: number;
  /** Files at once; load wants the machine for itself. */
  readonly concurrency?: number;
}

/** Parts with a step of their own. */
const laterFolders = ["faults", "load", "fuzz"];

async function runTests(name: string, { pattern, isolation, timeoutMs, concurrency = 2 }: Selection): Promise<void> {
  const isLater = (file: string) =>
    !laterFolders.includes(name) && laterFolders.some((folder) => file.startsWith(join("test", folder)));
  const files = globSync(pattern, { cwd: root }).filter((file) => !isLater(file));
  if (files.length === 0) return;
  const flags = [`--test-isolation=${isolation}`, `--test-timeout=${timeoutMs}`, `--test-concurrency=${concurrency}`];
  await step(name, ["--test", "--test-reporter=spec", ...flags, ...files.toSorted()], 30 * minute);
}

function renderTotals(): string {
  const count = (word: string) => totals.get(word) ?? 0;
  const failed = count("fail") + count("cancelled") + failedSteps;
  if (failed > 0) process.exitCode = 1;
  return `\n${words.map((word) => `ℹ ${word} ${count(word)}`).join("\n")}\n\n${count("pass")} passed, ${failed} failed`;
}

const isAll = part === "all";
try {
  if (part !== "unit") await step("build", ["scripts/build.ts", "--if-stale"], minute);
  if (isAll) await step("check", ["scripts/check.ts"], 5 * minute);
  if (isAll || part === "unit") {
    await runTests("unit tests", { pattern: "src/**/*.test.ts", isolation: "none", timeoutMs: minute });
  }
  if (isAll || part === "e2e") {
    await runTests("tests of the whole", { pattern: "test/**/*.test.ts", isolation: "process", timeoutMs: 5 * minute });
  }
  if (isAll || part === "load") {
    await runTests("load", {
      pattern: "test/load/**/*.test.ts",
      isolation: "process",
      timeoutMs: 2 * minute,
      concurrency: 1,
    });
  }
  if (part === "fuzz") {
    env["FUZZ_FRAMES"] ??= "1000000";
    env["FUZZ_REQUESTS"] ??= "200000";
  }
  if (isAll || part === "fuzz") {
    await runTests("fuzz", {
      pattern: "test/fuzz/**/*.test.ts",
      isolation: "process",
      timeoutMs: (isAll ? 2 : 60) * minute,
      concurrency: 1,
    });
  }
  if (isAll) {
    env["FAULTS_KILLS"] ??= "12";
    env["FAULTS_ROUNDS"] ??= "4";
  }
  if (isAll || part === "faults") {
    await runTests("faults", {
      pattern: "test/faults/**/*.test.ts",
      isolation: "process",
      timeoutMs: (isAll ? 5 : 60) * minute,
    });
  }
} finally {
  endLeftovers();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
console.log(renderTotals());
