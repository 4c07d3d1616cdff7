// Completion as the shells themselves do it: bash always, zsh, fish and PowerShell where the machine has them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { commands } from "../../src/cli/commands.ts";
import { launcher } from "../kit/gateway-process.ts";

let home: string;
before(() => {
  home = mkdtempSync(join(tmpdir(), "completion-"));
});
after(() => rmSync(home, { recursive: true, force: true }));

const moltbot = launcher.replace("openclaw.mjs", "moltbot.mjs");
const has = (shell: string) => spawnSync(shell, ["--version"], { stdio: "ignore" }).status === 0;
const environment = () => ({ PATH: process.env["PATH"], HOME: home, TERM: "dumb", SHELL: "/bin/bash" });

function run(args: readonly string[], program = launcher): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: environment(),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

function inShell(argv: readonly [string, ...string[]]): string[] {
  const [shell, ...args] = argv;
  const { status, stdout, stderr } = spawnSync(shell, args, {
    env: environment(),
    encoding: "utf8",
    cwd: home,
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout.split(/\r?\n/u).filter((line) => line !== "");
}

/** What bash offers for the words, the last of them half typed. */
function bash(words: readonly string[], program = launcher): string[] {
  const [name = ""] = words;
  const script = join(home, `${name}.bash`);
  if (!existsSync(script)) writeFileSync(script, run(["completion", "bash"], program));
  // exactly what readline does with a completion of this kind
  const ask = `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); spec=$(complete -p ${name}); fn=\${spec##*-F }; "\${fn%% *}"; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell(["bash", "--noprofile", "--norc", "-c", ask, "ask", script, ...words]);
}

test("bash offers commands, commands of groups, options and their values, under both names", () => {
  assert.deepEqual(bash(["openclaw", "ga"]), ["gateway"]);
  assert.deepEqual(bash(["moltbot", "ga"], moltbot), ["gateway"]);
  const groups = new Set(commands.map(({ name }) => name.split(" ")[0]));
  assert.deepEqual(new Set(bash(["openclaw", ""])), groups);
  assert.deepEqual(bash(["openclaw", "gateway", "st"]).toSorted(), ["start", "status", "stop"]);
  assert.deepEqual(bash(["openclaw", "gateway", "run", "--bin"]), ["--bind"]);
  assert.deepEqual(bash(["openclaw", "gateway", "--bin"]), ["--bind"], "the group's own command");
  assert.deepEqual(bash(["openclaw", "gateway", "--bind", "l"]), ["loopback", "lan"]);
  assert.deepEqual(bash(["openclaw", "--profile", "gateway", "hea"]), ["health"], "a value is no command");
  assert.deepEqual(bash(["openclaw", "health", "--js"]), ["--json"]);
  assert.deepEqual(bash(["openclaw", "completion", "z"]), ["zsh"]);
  assert.deepEqual(bash(["openclaw", "nonsense", "st"]), []);
  assert.deepEqual(bash(["openclaw", "backup", "verify", "some.tar.gz", "--js"]), ["--json"]);
});

test("bash offers files where a file is meant", () => {
  writeFileSync(join(home, "my backup.tar.gz"), "");
  assert.deepEqual(bash(["openclaw", "backup", "verify", "my"]), ["my backup.tar.gz"]);
  assert.deepEqual(bash(["openclaw", "backup", "create", "--output", "my"]), ["my backup.tar.gz"]);
});

test("every command and option of the table is offered by bash", () => {
  for (const { name, options = [] } of commands) {
    const words = name.split(" ").filter((word) => /^[a-z]/u.test(word));
    const offered = bash(["openclaw", ...words, "-"]);
    for (const [flags] of options)
      for (const flag of flags.split(/[ ,]+/u).filter((word) => word.startsWith("-")))
        assert.ok(offered.includes(flag), `${name} ${flag}`);
  }
});

test("fish offers the same, with what it means", { skip: !has("fish") }, () => {
  const script = join(home, "openclaw.fish");
  writeFileSync(script, run(["completion", "fish"]));
  const fish = (line: string) =>
    inShell(["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', script, line]);
  const names = (line: string) => fish(line).map((row) => row.split("\t")[0]);
  assert.deepEqual(names("openclaw ga"), ["gateway"]);
  assert.deepEqual(names("openclaw gateway st").toSorted(), ["start", "status", "stop"]);
  assert.deepEqual(names("openclaw gateway run --bin"), ["--bind"]);
  assert.deepEqual(names("openclaw gateway run --bind l").toSorted(), ["lan", "loopback"]);
  assert.deepEqual(names("openclaw --profile gateway hea"), ["health"]);
  assert.deepEqual(names("openclaw nonsense st"), []);
  assert.deepEqual(names("openclaw backup verify some.tar.gz --js"), ["--json"]);
  assert.match(fish("openclaw hea")[0] ?? "", /^health\thow the Gateway/u);
});

test("zsh offers the same", { skip: !has("zsh") }, () => {
  writeFileSync(join(home, "_openclaw"), run(["completion", "zsh"]));
  // a real zsh on a terminal of its own, whose TAB lists what there is
  const ask = `
zmodload zsh/zpty
zpty z "TERM=dumb zsh -f -i"
zpty -w z "PS1= PROMPT_EOL_MARK= ; fpath+=(\${(q)1}); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; unsetopt zle_bracketed_paste"
zpty -w z "echo rea''dy"
zpty -r -m z out "*ready*"
zpty -n -w z "$2"$'\\t'
zpty -r -m z out "*$3*"
print -r -- "$out"
zpty -d z`;
  // waits for what it is to show; without it the test runs into its time limit
  const zsh = (line: string, shown: string) => inShell(["zsh", "-f", "-c", ask, "zsh", home, line, shown]).join("\n");
  assert.match(zsh("openclaw gatew", "gateway "), /openclaw gateway /u);
  const listed = zsh("openclaw gateway sta", "-- start the service*-- how the service is");
  assert.match(listed, /start +-- start the service/u);
  assert.match(listed, /status +-- how the service is/u);
  assert.match(zsh("openclaw gateway run --bin", "--bind"), /--bind/u);
  assert.match(zsh("openclaw gateway run --bind loo", "loopback"), /loopback/u);
});

test("PowerShell offers the same", { skip: !has("pwsh") }, () => {
  const script = join(home, "openclaw.ps1");
  writeFileSync(script, run(["completion", "powershell"]));
  const offer = (line: string) => {
    const ask = `. '${script}'; (TabExpansion2 '${line}' ${line.length}).CompletionMatches.CompletionText`;
    return inShell(["pwsh", "-NoProfile", "-Command", ask]);
  };
  assert.deepEqual(offer("openclaw ga"), ["gateway"]);
  assert.deepEqual(offer("openclaw gateway run --bind l"), ["loopback", "lan"]);
});

test("--install puts it where the shell looks, says how to undo it, and does it once", () => {
  const first = JSON.parse(run(["completion", "--install", "--json"])) as {
    path: string;
    result: string;
    undo: string;
  };
  assert.equal(first.result, "installed");
  assert.equal(first.path, join(home, ".local/share/bash-completion/completions/openclaw"));
  assert.equal(readFileSync(first.path, "utf8"), run(["completion", "bash"]));
  assert.equal(first.undo, `rm ${first.path}`);
  assert.match(run(["completion", "bash", "--install"]), /^already there: /u);
  for (const [shell, path] of [
    ["zsh", ".zfunc/_openclaw"],
    ["fish", ".config/fish/completions/openclaw.fish"],
  ] as const) {
    assert.match(run(["completion", shell, "--install"]), new RegExp(`^installed: .*${path}\\n`, "u"));
    assert.equal(readFileSync(join(home, path), "utf8"), run(["completion", shell]));
  }
});

test("an unknown shell is told which there are", () => {
  const { status, stderr } = spawnSync(process.execPath, [launcher, "completion", "tcsh"], {
    env: environment(),
    encoding: "utf8",
  });
  assert.equal(status, 2);
  assert.match(stderr, /no such shell: tcsh\nnext: name one: openclaw completion bash\|zsh\|fish\|powershell/u);
});
