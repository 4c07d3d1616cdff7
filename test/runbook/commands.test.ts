// The command lines of docs/runbook.md, run as they stand: each `bash` block from top to bottom in one home of its own, `bash running`
// beside a Gateway. Ports are exchanged for free ones, and systemd's programs are stand-ins; nothing else differs.

import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createFakeTools, workingSystemctl } from "../kit/fake-tools.ts";
import { freePort } from "../kit/gateway-process.ts";

const root = join(import.meta.dirname, "..", "..");
const skip = process.platform === "linux" ? false : "the services in it are systemd's";

let home: string;
let env: NodeJS.ProcessEnv;
const ports = new Map<string, number>();
before(async () => {
  home = await mkdtemp(join(tmpdir(), "runbook-"));
  const tools = await createFakeTools(home);
  await tools.write("systemctl", workingSystemctl(join(home, ".config", "systemd", "user")));
  await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes; exit 0`);
  await tools.write("journalctl", "exit 1");
  const [folder = ""] = tools.path.split(":");
  for (const name of ["openclaw", "moltbot"]) {
    await writeFile(join(folder, name), `#!/bin/sh\nexec "${process.execPath}" "${root}/bin/${name}.mjs" "$@"\n`);
    await chmod(join(folder, name), 0o755);
  }
  env = { PATH: tools.path, HOME: home, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log") };
});
after(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));

interface Block {
  readonly heading: string;
  readonly isRunning: boolean;
  readonly lines: readonly string[];
}

async function readBlocks(): Promise<Block[]> {
  const text = await readFile(join(root, "docs", "runbook.md"), "utf8");
  let heading = "";
  return [...text.matchAll(/^#+ (.+)$|^```(\w*)( running)?\n([\s\S]*?)^```$/gmu)].flatMap(
    ([, title, language, running, body = ""]) => {
      heading = title ?? heading;
      if (language !== "bash") return [];
      const lines = body
        .replaceAll("\\\n", " ")
        .split("\n")
        .map((line) => line.replace(/\s+#.*$/u, "").trim())
        .filter((line) => line !== "" && !line.startsWith("#"));
      return [{ heading, isRunning: running !== undefined, lines }];
    },
  );
}

async function portFor(number: string): Promise<number> {
  const port = ports.get(number) ?? (await freePort());
  ports.set(number, port);
  return port;
}

/** The line with free ports in it. */
async function exchange(line: string): Promise<string> {
  const numbers = new Set(line.match(/\b1[89]\d{3}\b/gu));
  let text = line;
  for (const number of numbers) text = text.replaceAll(number, String(await portFor(number)));
  return text;
}

/** A Gateway in the foreground: `gateway` or `gateway run`, and options only. */
const isForeground = (line: string) =>
  /^(?:\w+=\S+ )*(?:openclaw|moltbot)(?: --(?:dev|profile \w+))* gateway(?: run)?(?: --.*)?$/u.test(line);

async function start(line: string, its: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn("/bin/sh", ["-c", line.replace(/^((?:\w+=\S+ )*)/u, "$1exec ")], { env: its, cwd: home });
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes("listening on ws://")) resolve();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", (code) => reject(new Error(`${line} ended with ${code}:\n${printed}`)));
  });
  return child;
}

async function stop(child: ChildProcess, line: string): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null], line);
}

function run(line: string, its: NodeJS.ProcessEnv): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile("/bin/sh", ["-c", line], { env: its, cwd: home, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, said: stdout + stderr });
    });
  });
}

test("every command line of the runbook works as it stands", { skip }, async (t) => {
  const blocks = await readBlocks();
  assert.ok(blocks.length >= 5, "blocks were found");
  for (const { heading, isRunning, lines } of blocks) {
    await t.test(heading, async () => {
      const base = lines.some((line) => line.includes(" --dev ")) ? "19001" : "18789";
      const its = { ...env, OPENCLAW_GATEWAY_PORT: String(await portFor(base)) };
      const beside = isRunning ? await start("openclaw gateway --allow-unconfigured", its) : undefined;
      try {
        for (const line of lines) {
          const typed = await exchange(line);
          if (isForeground(typed)) {
            await stop(await start(typed, its), typed);
          } else {
            const { code, said } = await run(typed, its);
            assert.equal(code, 0, `${typed}\n${said}`);
            assert.doesNotMatch(said, /^error:/mu, typed);
          }
        }
      } finally {
        if (beside) await stop(beside, "the Gateway beside them");
      }
    });
  }
});
