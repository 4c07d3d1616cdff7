import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { groupSummaries, parseArguments, type Chosen, type Printed } from "./arguments.ts";
import { commands } from "./commands.ts";

const brand = brandOf("openclaw");
const parse = (...argv: string[]) => parseArguments(brand, "1.2.3", argv);

function chosen(...argv: string[]): { name: string; options: object; args: readonly string[] } {
  const parsed = parse(...argv);
  assert.ok("command" in parsed, `${argv.join(" ")}: ${(parsed as Printed).error}`);
  const { command, invocation } = parsed as Chosen;
  return { name: command.name, ...invocation };
}

function printed(...argv: string[]): Printed {
  const parsed = parse(...argv);
  assert.ok("exitCode" in parsed, argv.join(" "));
  return parsed as Printed;
}

test("a bare `gateway` is `gateway run`, with the options of the latter (RB-02)", () => {
  for (const argv of [["gateway"], ["gateway", "run"]]) {
    const { name, options } = chosen(...argv, "--port", "19001", "--allow-unconfigured", "--verbose");
    assert.equal(name, "gateway run");
    assert.deepEqual(options, { port: "19001", allowUnconfigured: true, verbose: true });
  }
});

test("options of `gateway` never take what is meant for its commands", () => {
  assert.deepEqual(chosen("gateway", "call", "health", "--token", "x", "--password", "y").options, {
    token: "x",
    password: "y",
  });
  assert.deepEqual(chosen("gateway", "run", "--port", "1", "--token", "x").options, { port: "1", token: "x" });
  for (const flags of [
    ["--force", "--port", "1", "--token", "x"],
    ["--token", "x", "--port", "1", "--force"],
  ]) {
    const { name, options } = chosen("gateway", "install", ...flags);
    assert.deepEqual([name, options], ["gateway install", { force: true, port: "1", token: "x" }]);
  }
  assert.deepEqual(chosen("gateway", "call", "x", "--params", "{}").args, ["x"]);
});

test("global flags count before the command, within it and after it", () => {
  const global = ["--json", "--url", "ws://h", "--token", "t", "--password", "p", "--no-color", "--profile", "x"];
  const expected = { json: true, url: "ws://h", token: "t", password: "p", color: false, profile: "x" };
  for (const argv of [
    [...global, "gateway", "status"],
    ["gateway", ...global, "status"],
    ["gateway", "status", ...global],
    [...global, "health"],
    ["health", ...global],
  ]) {
    assert.deepEqual(chosen(...argv).options, expected, argv.join(" "));
  }
});

test("of a flag given twice the later one counts", () => {
  assert.deepEqual(chosen("--token", "a", "gateway", "call", "x", "--token", "b").options, { token: "b" });
});

test("a switch that is on by default shows only when it is turned off", () => {
  assert.deepEqual(chosen("gateway", "status").options, {});
  assert.deepEqual(chosen("gateway", "status", "--no-probe").options, { probe: false });
});

test("a profile without a name is refused in the documented words", () => {
  for (const argv of [["--profile"], ["status", "--profile"], ["--profile=", "status"]]) {
    assert.throws(
      () => parse(...argv),
      (error: unknown) =>
        error instanceof Fault && error.code === "usage" && error.message === "--profile requires a value",
      argv.join(" "),
    );
  }
});

test("the version is bare, in its three spellings", () => {
  for (const flag of ["--version", "-V", "-v"])
    for (const argv of [[flag], ["--dev", flag], ["--profile", "x", flag]])
      assert.deepEqual(printed(...argv), { out: "1.2.3\n", error: "", exitCode: 0 }, argv.join(" "));
});

test("help goes to stdout, names every command, and shows examples under the name that was called", () => {
  const help = parseArguments(brandOf("moltbot"), "1.2.3", []) as Printed;
  assert.equal(help.exitCode, 0);
  assert.equal(help.error, "");
  for (const { name } of commands) assert.ok(help.out.includes(`\n  ${name.split(" ")[0]} `), name);
  assert.match(help.out, /Examples:\n {2}moltbot gateway\n/u);
  assert.ok(!help.out.includes("openclaw"));
});

test("every command has help with at least one example of its own", () => {
  for (const { name, summary, examples } of commands) {
    const words = name.split(" ").filter((word) => /^[a-z]/u.test(word));
    const help = printed(...words, "--help");
    assert.equal(help.exitCode, 0, name);
    assert.ok(help.out.replaceAll(/\s+/gu, " ").includes(summary), name);
    assert.ok(examples[0] !== undefined && help.out.includes(`openclaw ${examples[0]}`), name);
  }
});

test("every example is a command line that is understood as its own command", () => {
  for (const { name, examples } of commands) {
    for (const example of examples) {
      const argv = [...example.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/gu)].map(([, a, b, c]) => a ?? b ?? c ?? "");
      assert.equal(chosen(...argv).name, name, example);
    }
  }
});

test("a mistake goes to stderr with exit code 1, and a near command is proposed", () => {
  const unknown = printed("helth");
  assert.equal(unknown.exitCode, 1);
  assert.equal(unknown.out, "");
  assert.match(unknown.error, /unknown command 'helth'\n\(Did you mean health\?\)/u);
  assert.match(printed("status", "--bogus").error, /unknown option '--bogus'/u);
  assert.match(printed("gateway", "call").error, /missing required argument 'method'/u);
  assert.equal(printed("pairing").exitCode, 1);
});

test("a group that has a command of its own name still knows which words it has not", () => {
  const unknown = printed("gateway", "stats");
  assert.deepEqual([unknown.exitCode, unknown.out], [1, ""]);
  assert.match(unknown.error, /unknown command 'stats'\n\(Did you mean (?:start|status)/u);
  assert.match(printed("gateway", "run", "x").error, /too many arguments for 'run'/u);
});

test("`daemon` is `gateway` for all that is about the service, and for nothing else", () => {
  for (const verb of ["status", "install", "uninstall", "start", "stop", "restart"]) {
    assert.equal(chosen("daemon", verb, "--json").name, `daemon ${verb}`);
    const [ours, theirs] = ["daemon", "gateway"].map((group) =>
      commands.find(({ name }) => name === `${group} ${verb}`),
    );
    assert.equal(ours?.load, theirs?.load, verb);
    assert.deepEqual(ours?.options, theirs?.options, verb);
  }
  assert.match(printed("daemon", "run").error, /unknown command 'run'/u);
  assert.match(printed("daemon", "call").error, /unknown command 'call'/u);
});

test("no argv makes it throw anything but a usage Fault", () => {
  const words = [
    ...commands.flatMap(({ name }) => name.split(" ")),
    "--json",
    "--profile",
    "--token",
    "-m",
    "--",
    "=",
    "-",
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 6 }), (argv) => {
      try {
        const parsed = parse(...argv);
        assert.ok("command" in parsed || typeof parsed.exitCode === "number");
      } catch (error) {
        assert.ok(error instanceof Fault && error.code === "usage", String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test("every command is found by its words, also behind global flags whose values are words of others", () => {
  for (const { name } of commands) {
    const words = name.split(" ").map((word) => (/^[<[]/u.test(word) ? "x" : word));
    for (const flags of [[], ["--profile", "logs", "--json"], ["--url", "health", "--dev"], ["--token=agent"]])
      assert.equal(chosen(...flags, ...words).name, name, [...flags, ...words].join(" "));
  }
});

test("the help of a group shows the command that it is without one, with its flags and examples", () => {
  const { out } = printed("gateway", "--help");
  assert.match(
    out,
    /Without a command:\n\nUsage: openclaw gateway run \[options\][\s\S]*--force[\s\S]*Examples:\n  openclaw gateway\n/u,
  );
  assert.match(printed("doctor", "--help").out, /Without a command:[\s\S]*--fix/u);
  assert.doesNotMatch(printed("devices", "--help").out, /Without a command/u);
});

test("every group says what it is for", () => {
  const groups = new Set(commands.flatMap(({ name }) => (/^\S+ [a-z]/u.test(name) ? [name.split(" ")[0] ?? ""] : [])));
  for (const group of groups) assert.ok((groupSummaries[group] ?? "").length > group.length, group);
});
