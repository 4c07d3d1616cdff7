// The package that is published: made, installed from the registry alone, and used on every Node that it promises (R41, R42).

import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readlink, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { freePort } from "../kit/gateway-process.ts";
import { install, installNode, nodePackage, pack } from "../kit/installed-package.ts";
import { openRawClient } from "../kit/raw-client.ts";

const root = join(import.meta.dirname, "..", "..");
/** What a distribution still has, the oldest that is promised, and the newest that the machine may have. */
const hosts = { old: "20.19.0", least: "22.19.0" };

let folder: string;
let packed: Awaited<ReturnType<typeof pack>>;
let bin: string;
let nodes: Record<keyof typeof hosts | "new", string>;
before(
  async () => {
    assert.ok(nodePackage, "npm has no Node for this machine");
    folder = await mkdtemp(join(tmpdir(), "package-"));
    packed = await pack(folder);
    bin = await install(join(folder, "app"), packed.file);
    nodes = {
      old: await installNode(nodePackage, hosts.old),
      least: await installNode(nodePackage, hosts.least),
      new: dirname(process.execPath),
    };
  },
  { timeout: 240_000 },
);
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** As a stranger's terminal has it: nothing of the checkout. */
function envOf(node: string, home: string): NodeJS.ProcessEnv {
  return {
    PATH: [node, "/usr/bin", "/bin"].join(delimiter),
    HOME: home,
    NO_COLOR: "1",
    OPENCLAW_LOG_DIR: join(home, "log"),
  };
}

function type(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(command, args, { env, cwd: folder, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

/** The program that a process is, through a launcher if there is one. */
async function programOf(pid: number): Promise<string> {
  const below = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").filter(Boolean);
  const [child] = below;
  return child === undefined ? readlink(`/proc/${pid}/exe`) : programOf(Number(child));
}

test("it holds what runs, and no sources, tests, maps or leftovers of other builds", async () => {
  const expected = /^(?:package\.json|README\.md|LICENSE|bin\/[\w.]+|dist\/[\w./@-]+\.(?:js|css))$/u;
  assert.deepEqual(
    packed.names.filter((name) => !expected.test(name)),
    [],
  );
  for (const name of ["bin/launch.mjs", "bin/openclaw.mjs", "dist/cli.js", "dist/gateway.js", "dist/a2ui/a2ui.js"])
    assert.ok(packed.names.includes(name), name);
  const stamp = JSON.parse(await readFile(join(root, "dist", "stamp.json"), "utf8")) as { files: string[] };
  const built = stamp.files.filter((name) => !name.endsWith(".map")).map((name) => `dist/${name}`);
  assert.deepEqual(packed.names.filter((name) => name.startsWith("dist/")).toSorted(), built.toSorted());
  assert.ok(packed.bytes < 4_000_000, `${packed.bytes} bytes`);
});

test("every package that it needs comes from the registry", async () => {
  const lock = JSON.parse(await readFile(join(folder, "app", "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string; version?: string; link?: boolean }>;
  };
  const own = "node_modules/openclaw-gateway";
  for (const [path, { resolved, version }] of Object.entries(lock.packages)) {
    if (path === "" || path === own) continue;
    assert.match(version ?? "", /^\d+\.\d+\.\d+/u, path);
    // undefined where npm is told to leave out the registry's own address
    if (resolved !== undefined) assert.match(resolved, /^https?:\/\/[^#]+\/-\/[^/]+\.tgz$/u, path);
  }
});

async function smoke(node: string, expected: string): Promise<void> {
  const home = await mkdtemp(join(folder, "home-"));
  const env = envOf(node, home);
  const openclaw = join(bin, "openclaw");
  const port = await freePort();
  const child = spawn(openclaw, ["gateway", "--allow-unconfigured", "--port", String(port)], {
    env,
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  const listening = new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      if (/listening on ws:/u.test(output)) resolve();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
  });
  await listening;
  if (process.platform === "linux")
    assert.equal(await realpath(await programOf(child.pid ?? 0)), await realpath(expected), "the Node that runs it");

  const token = (await readFile(join(home, ".openclaw", "credentials", "gateway-token"), "utf8")).trim();
  const client = await openRawClient(port, token);
  const hello = await client.connect();
  assert.equal(hello.ok, true, JSON.stringify(hello));
  assert.equal(hello.payload?.["type"], "hello-ok");
  client.close();
  const status = await type(openclaw, ["status", "--json"], { ...env, OPENCLAW_GATEWAY_PORT: String(port) });
  assert.equal(status.code, 0, status.stderr);
  const said = await type(openclaw, ["agent", "--message", "is anybody there"], {
    ...env,
    OPENCLAW_GATEWAY_PORT: String(port),
  });
  assert.equal(said.code, 0, said.stderr);
  assert.match(said.stdout, /is anybody there/u);
  const page = await fetch(`http://127.0.0.1:${port}/__openclaw__/a2ui/`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<script/u);

  const ended = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null], output);
}

describe("installed, it starts, answers, shows its page and stops", { timeout: 120_000 }, () => {
  const own = () => join(folder, "app", "node_modules", nodePackage ?? "", "bin", "node");

  test("on Node 20, by the Node that it brings (R41)", () => smoke(nodes.old, own()));
  test("on the oldest Node that it promises, by that one (R41)", () => smoke(nodes.least, join(nodes.least, "node")));
  test("on Node 24, by that one (R41)", () => smoke(nodes.new, process.execPath));

  test("what it is on each of them is the same version, under both names", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    for (const node of Object.values(nodes))
      for (const name of ["openclaw", "moltbot"])
        assert.deepEqual(await type(join(bin, name), ["--version"], envOf(node, folder)), {
          code: 0,
          stdout: `${version}\n`,
          stderr: "",
        });
  });

  test("the shell scripts of a checkout do the same (R41)", async () => {
    for (const node of Object.values(nodes)) {
      const { code, stderr } = await type(join(root, "bin", "openclaw"), ["--version"], envOf(node, folder));
      assert.equal(code, 0, stderr);
    }
  });

  test("without the Node that it brings, Node 20 is told what to do and a newer one is used (R41)", async () => {
    // the last one here: it takes that Node away
    const bare = await install(join(folder, "app"), packed.file, "--omit=optional");
    const refused = await type(join(bare, "openclaw"), ["--version"], envOf(nodes.old, folder));
    assert.deepEqual(refused, {
      code: 1,
      stdout: "",
      stderr:
        `openclaw needs Node 22.19 or newer, and this is ${hosts.old}. The Node that comes with it is not there: ` +
        "install it again without --omit=optional, or install a newer Node, and try again.\n",
    });
    assert.equal((await type(join(bare, "openclaw"), ["--version"], envOf(nodes.least, folder))).code, 0);
  });
});
