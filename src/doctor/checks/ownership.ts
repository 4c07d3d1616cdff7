// Whether this user may read and write what is kept for them: after one command with sudo, or a copy from another machine, they may not.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";
import { octal } from "../octal.ts";

export function createOwnershipCheck({ paths, platform }: Scene): DoctorCheck {
  return {
    id: "ownership",
    group: "files",
    label: "owners",
    async run() {
      const mine = process.getuid?.();
      if (mine === undefined || platform === "win32") return [];
      const inner = ["identity", "logs", "config-history"].map((name) => join(paths.state, name));
      const listed = await Promise.all([paths.state, paths.credentials, ...inner].map(listEntries));
      const every = [...new Set([...listed.flat(), paths.config])];
      const looked = await Promise.all(every.map((path) => look(path, mine)));
      const entries = looked.filter((entry) => entry !== undefined);
      return [...checkOwners(paths.state, entries), ...entries.flatMap(checkClosed)];
    },
  };
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly isMine: boolean;
  readonly isFolder: boolean;
}

/** What is in the folder; nothing when it cannot be opened: then the folder itself is told. */
async function listEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}

/** Links and what is neither file nor folder are nobody's business here. */
async function look(path: string, mine: number): Promise<Entry | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isFile() && !found?.isDirectory()) return undefined;
  const { uid, mode } = found;
  return { path, mode: mode & 0o777, uid, isMine: uid === mine, isFolder: found.isDirectory() };
}

/** Root may write everything, and is told nothing. */
function checkOwners(state: string, entries: readonly Entry[]): DoctorFinding[] {
  const foreign = entries.filter(({ isMine }) => !isMine);
  const [first] = foreign;
  if (!first || process.getuid?.() === 0) return [];
  const others = foreign.length === 1 ? "" : ` and ${foreign.length - 1} more`;
  return [
    {
      id: "files.owner",
      severity: "error",
      message: `${first.path}${others} belong${foreign.length === 1 ? "s" : ""} to another user (id ${first.uid}): the Gateway of this one cannot write there`,
      next: `sudo chown -R "$USER" ${state}; and no command with sudo`,
    },
  ];
}

function checkClosed({ path, mode, isMine, isFolder }: Entry): DoctorFinding[] {
  const least = isFolder ? 0o700 : 0o600;
  if (!isMine || (mode & least) === least) return [];
  return [
    {
      id: "files.closed",
      severity: "error",
      message: `${path} is closed to its own user (${octal(mode)}, should be ${octal(least)})`,
      next: `chmod ${least.toString(8)} ${path}`,
      fix: {
        title: `open ${path} to its user`,
        risk: "safe",
        steps: async () => [{ kind: "mode", path, before: mode, after: least }],
      },
    },
  ];
}
