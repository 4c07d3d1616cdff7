import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { AllowedCommand, ExecApprovalsFile } from "../config/exec-approvals.ts";
import { decideRun, isLauncher, type RunQuestion } from "./policy.ts";

const question = (extra: Partial<RunQuestion> = {}): RunQuestion => ({
  agentId: "main",
  program: "/usr/bin/uname",
  args: ["-a"],
  hasOwnEnv: false,
  approval: undefined,
  home: "/home/me",
  ...extra,
});
const allowing = (...allowlist: AllowedCommand[]): ExecApprovalsFile => ({
  version: 1,
  defaults: { security: "allowlist" },
  agents: { main: { allowlist } },
});
const isAllowed = (file: ExecApprovalsFile, extra: Partial<RunQuestion> = {}) =>
  decideRun(file, question(extra)).isAllowed;

test("without a file nothing runs, whatever somebody approved", () => {
  for (const approval of [undefined, "allow-once", "allow-always", "unanswered"] as const)
    assert.deepEqual(decideRun({ version: 1 }, question({ approval })), { isAllowed: false, reason: "security=deny" });
});

test("a listed program runs, another one asks; an approval lets it through", () => {
  const file = allowing({ pattern: "/usr/bin/uname" });
  assert.deepEqual(decideRun(file, question()), { isAllowed: true, by: "allowlist" });
  const other = { program: "/usr/bin/whoami", args: [] };
  assert.deepEqual(decideRun(file, question(other)), { isAllowed: false, reason: "approval required" });
  assert.deepEqual(decideRun(file, question({ ...other, approval: "allow-once" })), {
    isAllowed: true,
    by: "approval",
  });
  const quiet = { ...file, defaults: { security: "allowlist", ask: "off" } };
  assert.deepEqual(decideRun(quiet, question(other)), { isAllowed: false, reason: "allowlist miss" });
});

test("patterns are whole paths: a star stays within a folder, a bare name and a part of a path match nothing", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["/usr/bin/*", "/usr/bin/uname", true],
    ["/usr/*", "/usr/bin/uname", false],
    ["/usr/**", "/usr/bin/uname", true],
    ["~/bin/tool", "/home/me/bin/tool", true],
    ["~/bin/tool", "/home/other/bin/tool", false],
    ["uname", "/usr/bin/uname", false],
    ["*", "/usr/bin/uname", false],
    ["/usr/bin/un", "/usr/bin/uname", false],
    ["/usr/bin/uname", "/evil/usr/bin/uname", false],
    ["/usr/bin/u.ame", "/usr/bin/uname", false],
    ["C:\\Tools\\*.exe", "c:\\tools\\a.EXE", true],
  ];
  for (const [pattern, program, expected] of cases)
    assert.equal(isAllowed(allowing({ pattern }), { program }), expected, pattern);
});

test("an entry with arguments allows those alone; one with another program's argument rule allows nothing", () => {
  const file = allowing({ pattern: "/usr/bin/git", args: ["status"] });
  const git = { program: "/usr/bin/git" };
  assert.equal(isAllowed(file, { ...git, args: ["status"] }), true);
  for (const args of [[], ["status", "-c"], ["-c", "status"], ["status "]])
    assert.equal(isAllowed(file, { ...git, args }), false);
  assert.equal(isAllowed(allowing({ pattern: "/usr/bin/uname", argPattern: ".*" })), false);
});

test("a launcher needs its arguments listed: else the entry would allow everything", () => {
  for (const name of [
    "sh",
    "bash",
    "env",
    "sudo",
    "xargs",
    "python3.12",
    "node",
    "busybox",
    "git",
    "find",
    "PowerShell.exe",
  ]) {
    const pattern = `/usr/bin/${name}`;
    assert.equal(isAllowed(allowing({ pattern }, { pattern: "/**" }), { program: pattern }), false, name);
    assert.equal(isAllowed(allowing({ pattern, args: ["-a"] }), { program: pattern }), true, name);
    assert.equal(isLauncher(pattern), true, name);
  }
});

test("variables of the caller's own need a person, even for a listed program", () => {
  const file = allowing({ pattern: "/usr/bin/uname" });
  assert.equal(isAllowed(file, { hasOwnEnv: true }), false);
  assert.equal(isAllowed(file, { hasOwnEnv: true, approval: "allow-once" }), true);
});

test("when nobody answers, the fallback counts, and it is no by default", () => {
  const ask = (askFallback: string | undefined, program: string) =>
    isAllowed(
      {
        version: 1,
        defaults: { security: "allowlist", ask: "always", ...(askFallback ? { askFallback } : {}) },
        agents: { "*": { allowlist: [{ pattern: "/usr/bin/uname" }] } },
      },
      { approval: "unanswered", program },
    );
  assert.deepEqual(
    [undefined, "deny", "allowlist", "full"].map((level) => ask(level, "/usr/bin/uname")),
    [false, false, true, true],
  );
  assert.deepEqual(
    [undefined, "deny", "allowlist", "full"].map((level) => ask(level, "/usr/bin/other")),
    [false, false, false, true],
  );
});

const level = fc.option(fc.constantFrom("deny", "allowlist", "full", "off", "on-miss", "always", "FULL", "", "?"), {
  nil: undefined,
});
const program = fc.constantFrom("/usr/bin/uname", "/usr/bin/id", "/bin/sh", "/opt/x/tool", undefined);
const entry = fc.record({
  pattern: fc.constantFrom("/usr/bin/uname", "/usr/bin/*", "/**", "/bin/sh", "uname"),
}) as fc.Arbitrary<AllowedCommand>;
const levels = fc.record({ security: level, ask: level, askFallback: level });
const someFile = fc
  .record({ defaults: levels, own: levels, allowlist: fc.array(entry, { maxLength: 3 }) })
  .map(
    ({ defaults, own, allowlist }) =>
      ({ version: 1, defaults, agents: { main: { ...own, allowlist } } }) as ExecApprovalsFile,
  );
const someQuestion = fc
  .record({
    program,
    args: fc.array(fc.constantFrom("-a", "x"), { maxLength: 2 }),
    hasOwnEnv: fc.boolean(),
    approval: fc.constantFrom("allow-once", "allow-always", "unanswered", undefined),
  })
  .map((extra) => question(extra as Partial<RunQuestion>));

const effective = (file: ExecApprovalsFile, key: "security" | "ask" | "askFallback") =>
  file.agents?.["main"]?.[key] ?? file.defaults?.[key];
const isOneOf = (word: string | undefined, ...words: string[]) => word !== undefined && words.includes(word);

test("deny is final, and always-ask never runs without a person or the fallback", () => {
  fc.assert(
    fc.property(someFile, someQuestion, (file, asked) => {
      const verdict = decideRun(file, asked);
      if (!isOneOf(effective(file, "security"), "full", "allowlist")) assert.equal(verdict.isAllowed, false);
      if (effective(file, "ask") === "always" && asked.approval === undefined) assert.equal(verdict.isAllowed, false);
      if (asked.approval === "unanswered" && !isOneOf(effective(file, "askFallback"), "full", "allowlist"))
        assert.deepEqual(verdict, decideRun(file, { ...asked, approval: undefined }), "unanswered gives nothing");
    }),
    { numRuns: 2_000 },
  );
});

test("another agent's list, and an entry for another program, change nothing", () => {
  fc.assert(
    fc.property(someFile, someQuestion, (file, asked) => {
      const before = decideRun(file, asked);
      const agents = { ...file.agents, other: { security: "full", ask: "off", allowlist: [{ pattern: "/**" }] } };
      assert.deepEqual(decideRun({ ...file, agents }, asked), before);
      const main = file.agents!["main"]!;
      const allowlist = [...(main.allowlist ?? []), { pattern: "/nowhere/tool" }];
      assert.deepEqual(decideRun({ ...file, agents: { main: { ...main, allowlist } } }, asked), before);
    }),
  );
});
