// A home folder of its own for doctor: a config, a state folder, the real command line, and what everything was like before.

import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { freePort, launcher } from "./gateway-process.ts";

export interface DoctorFinding {
  readonly id: string;
  readonly severity: string;
  readonly message: string;
  readonly next?: string;
  readonly fix?: { readonly title: string; readonly risk: string };
}

export interface DoctorAnswer {
  readonly ok: boolean;
  readonly findings: readonly DoctorFinding[];
  readonly fixes: readonly { readonly id: string; readonly result: string; readonly diff: readonly string[] }[];
  readonly restorePoint?: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DoctorHome {
  readonly home: string;
  readonly state: string;
  readonly config: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  put(path: string, text: string, mode?: number): Promise<void>;
  cli(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ran>;
  /** `doctor ... --json`. */
  doctor(args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<DoctorAnswer>;
  /** Every file below the home folder with its mode and text, but for locks, copies and restore points. */
  picture(): Promise<Record<string, string>>;
  dispose(): Promise<void>;
}

export async function createDoctorHome(): Promise<DoctorHome> {
  const home = await mkdtemp(join(tmpdir(), "doctor-"));
  const state = join(home, ".openclaw");
  const config = join(state, "openclaw.json");
  const port = await freePort();
  const env = {
    HOME: home,
    PATH: join(home, "bin"),
    NO_COLOR: "1",
    OPENCLAW_LOG_DIR: join(home, "log"),
  };
  const put = async (path: string, text: string, mode = 0o600) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, text);
    await chmod(path, mode);
  };
  const cli = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    new Promise<Ran>((resolve) => {
      execFile(
        process.execPath,
        [launcher, ...args],
        { cwd: home, env: { ...env, ...more } },
        (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr });
        },
      );
    });
  await put(config, `{ gateway: { mode: "local", port: ${port} } }`);
  return {
    home,
    state,
    config,
    port,
    env,
    put,
    cli,
    async doctor(args = [], more = {}) {
      const { stdout, stderr } = await cli(["doctor", ...args, "--json"], more);
      try {
        return JSON.parse(stdout) as DoctorAnswer;
      } catch (error) {
        throw new Error(`doctor ${args.join(" ")}: ${stdout}${stderr}`, { cause: error });
      }
    },
    picture: () => takePicture(home),
    dispose: () => rm(home, { recursive: true, force: true }),
  };
}

const ignored =
  /(?:^|\/)(?:restore-points|log)(?:\/|$)|(?:doctor|\.json)\.lock(?:-journal)?$|\.bak(?:\.\d+)?$|config-history/u;

async function takePicture(root: string): Promise<Record<string, string>> {
  const picture: Record<string, string> = {};
  for (const name of (await readdir(root, { recursive: true })).toSorted()) {
    if (ignored.test(name)) continue;
    const path = join(root, name);
    const found = await stat(path);
    const text = found.isFile() ? await readFile(path, "latin1") : "";
    picture[name] = `${(found.mode & 0o777).toString(8)} ${text}`;
  }
  return picture;
}
