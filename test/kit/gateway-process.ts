// A real Gateway as a child process, in a temporary state folder on a free port. Stopped by its own process id.

import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
export const launcher = join(root, "bin", "openclaw.mjs");

export interface GatewayProcess {
  readonly port: number;
  readonly token: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly pid: () => number;
  /** Everything the process has printed, over all its lives. */
  readonly output: () => string;
  /** Resolves when it listens. */
  start(): Promise<void>;
  /** Sends the signal and resolves with the exit code (null: killed by a signal). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** One more signal to a process that was told to stop already. */
  again(signal: NodeJS.Signals): void;
  /** Runs a CLI command against it. */
  cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** POSTs JSON, or a text as it is, with the secret unless the headers have something else. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

/**
 * Free now, and not of those that the system gives to whoever asks for any (32768 and up): with those, a port that is free for a
 * moment would soon be somebody else's in a test that runs beside this one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error("no port is free");
}

/** Under `models.providers`: a model server of ours under the name `mock`. */
export const mockProvider = (baseUrl: string) => ({
  mock: { baseUrl, apiKey: "test-key", api: "openai-completions" },
});

interface GatewayProcessOptions {
  readonly config?: object;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  /** What stands before the command, once its folder of the state is there. */
  readonly enter?: (state: string) => Promise<readonly string[]>;
  /** Of another version of the program. */
  readonly launcher?: string;
}

/** One that listens. */
export async function startGatewayProcess(options: GatewayProcessOptions = {}): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess(options);
  try {
    await gateway.start();
    return gateway;
  } catch (error) {
    await gateway.dispose();
    throw error;
  }
}

export async function createGatewayProcess(options: GatewayProcessOptions = {}): Promise<GatewayProcess> {
  const program = options.launcher ?? launcher;
  const folder = await mkdtemp(join(tmpdir(), "gateway-"));
  const state = join(folder, "state");
  const port = await freePort();
  const token = "test-token-0123456789";
  await mkdir(state, { recursive: true });
  const enter = (await options.enter?.(state)) ?? [];
  await writeFile(join(state, "openclaw.json"), JSON.stringify({ gateway: { mode: "local" }, ...options.config }));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: folder,
    NO_COLOR: "1",
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_LOG_DIR: join(folder, "log"),
    OPENCLAW_GATEWAY_PORT: String(port),
    OPENCLAW_GATEWAY_TOKEN: token,
    ...options.env,
  };
  let child: ChildProcess | undefined;
  let stopping: ChildProcess | undefined;
  let printed = "";

  const start = () =>
    new Promise<void>((resolve, reject) => {
      let life = "";
      const [file = process.execPath, ...args] = [...enter, process.execPath, program, "gateway"];
      const made = spawn(file, [...args, ...(options.args ?? [])], {
        env,
        // a path of a config that is relative ends up where it is removed again
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = made;
      const take = (chunk: Buffer) => {
        printed += chunk.toString();
        life += chunk.toString();
        if (/listening on wss?:/u.test(life)) resolve();
      };
      made.stdout.on("data", take);
      made.stderr.on("data", take);
      made.once("exit", (code, signal) => reject(new Error(`the Gateway ended (${code ?? signal}):\n${life}`)));
    });
  const stop = (signal: NodeJS.Signals = "SIGTERM") =>
    new Promise<number | null>((resolve) => {
      const current = child;
      stopping = current;
      child = undefined;
      if (!current || current.exitCode !== null || current.signalCode !== null) {
        resolve(current?.exitCode ?? null);
        return;
      }
      current.once("exit", (code) => resolve(code));
      current.kill(signal);
    });

  return {
    port,
    token,
    folder,
    env,
    pid: () => child?.pid ?? 0,
    output: () => printed,
    start,
    stop,
    again: (signal) => void stopping?.kill(signal),
    cli: (...args) => runCli([program, ...args], env),
    post: (path, body, headers = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async dispose() {
      await stop("SIGKILL");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
