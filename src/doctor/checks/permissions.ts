// Who may read and write what is kept: folders 0700, files with secrets 0600, all of it this user's.

import { access, constants, lstat, readdir, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";

import { snapshotFolder } from "../../platform/database-snapshots.ts";
import { followLink } from "../../platform/files.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";
import { octal } from "../octal.ts";

export function createPermissionsCheck(scene: Scene): DoctorCheck {
  const { paths, platform } = scene;
  return {
    id: "permissions",
    group: "files",
    label: "permissions",
    async run() {
      const state = await lookAt(paths.state);
      if (!state) return [];
      const found = await checkState(scene, state);
      if (platform === "win32") return found;
      const folders = [
        paths.state,
        paths.credentials,
        join(paths.state, "identity"),
        join(paths.state, "logs"),
        snapshotFolder(paths.database),
      ];
      const files = [...(await listPrivate(scene)), paths.config];
      const wanted = [
        ...folders.map((path) => ({ path, mode: 0o700, isFolder: true })),
        ...files.map((path) => ({ path, mode: 0o600, isFolder: false })),
      ];
      const checked = await Promise.all(wanted.map(checkMode));
      return [...found, ...checked.flat()];
    },
  };
}

/** What the state folder holds that nobody else should read. */
async function listPrivate({ paths }: Scene): Promise<string[]> {
  const inState = await list(
    paths.state,
    /\.(?:sqlite|sqlite-wal|sqlite-shm|json|json5|bak|env|lock)(?:\.bak.*)?$|^\.env$/u,
  );
  const inCredentials = await list(paths.credentials, /./u);
  const inIdentity = await list(join(paths.state, "identity"), /./u);
  const inSnapshots = await list(snapshotFolder(paths.database), /./u);
  return [...new Set([...inState, ...inCredentials, ...inIdentity, ...inSnapshots])].filter(
    (path) => path !== paths.config,
  );
}

async function list(folder: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile() && name.test(entry.name)).map((entry) => join(folder, entry.name));
}

const lookAt = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

async function checkState({ paths, command }: Scene, found: Stats): Promise<DoctorFinding[]> {
  const { state } = paths;
  const error = { id: "files.state", severity: "error" } as const;
  if (!found.isDirectory())
    return [{ ...error, message: `the state folder is no folder: ${state}`, next: "move that file away" }];
  const mine = process.getuid?.();
  if (mine !== undefined && found.uid !== mine && mine !== 0) {
    const message = `the state folder ${state} belongs to another user (id ${found.uid})`;
    return [{ ...error, message, next: `sudo chown -R "$USER" ${state}` }];
  }
  const isWritable = await access(state, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const findings: DoctorFinding[] = isWritable
    ? []
    : [
        {
          ...error,
          message: `the state folder cannot be written to: ${state}`,
          next: `chmod 700 ${state}; then ${command("doctor")} again`,
        },
      ];
  const link = await lstat(state);
  if (link.isSymbolicLink())
    findings.push({
      id: "files.state-link",
      severity: "info",
      message: `the state folder is a link: ${state} -> ${await followLink(state)}`,
      next: "nothing, if you made it: whoever may change the link decides what the Gateway reads",
    });
  return findings;
}

interface Wanted {
  readonly path: string;
  readonly mode: number;
  readonly isFolder: boolean;
}

async function checkMode({ path, mode, isFolder }: Wanted): Promise<DoctorFinding[]> {
  const found = await lookAt(path);
  if (!found || found.isDirectory() !== isFolder || found.uid !== process.getuid?.()) return [];
  const now = found.mode & 0o777;
  if ((now & 0o077) === 0) return [];
  const isWritten = (now & 0o022) !== 0;
  return [
    {
      id: isFolder ? "files.folder-mode" : "files.file-mode",
      severity: isWritten || !isFolder ? "error" : "warning",
      message: `others may ${isWritten ? "write to" : "read"} ${path} (${octal(now)}, should be ${octal(mode)})`,
      next: `chmod ${mode.toString(8)} ${path}`,
      fix: {
        title: `close ${path} to others`,
        risk: "safe",
        steps: async () => [{ kind: "mode", path, before: now, after: mode }],
      },
    },
  ];
}
