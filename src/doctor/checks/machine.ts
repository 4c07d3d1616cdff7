// The machine: the Node that runs this, the clock, and folders that other programs copy about.

import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { versionManagerOf } from "../../daemon/audit.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

/** Of package.json's `engines`. */
const leastNode = [22, 19] as const;

export function createNodeCheck(scene: Scene): DoctorCheck {
  return {
    id: "node",
    group: "machine",
    label: "Node",
    async run() {
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
      const [wantedMajor, wantedMinor] = leastNode;
      const isOld = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
      const found: DoctorFinding[] = [];
      if (isOld)
        found.push({
          id: "machine.node-old",
          severity: "error",
          message: `this runs on Node ${process.versions.node}, and needs ${wantedMajor}.${wantedMinor} or newer`,
          next: "install Node 24",
        });
      if (process.versions["bun"] !== undefined)
        found.push({
          id: "machine.bun",
          severity: "error",
          message: "this runs on bun, which channels do not work on",
          next: "run it with Node",
        });
      const manager = versionManagerOf(process.execPath);
      const service = await scene.service();
      if (manager !== undefined && !service?.installed)
        found.push({
          id: "machine.node-manager",
          severity: "info",
          message: `this Node belongs to ${manager}: a service that is installed with it ends when ${manager} removes that version`,
          next: "install the service with a Node of the system",
        });
      return found;
    },
  };
}

const earliest = Date.UTC(2025, 0, 1);
const slackMs = 10 * 60_000;

export function createClockCheck({ clock, paths }: Scene): DoctorCheck {
  return {
    id: "clock",
    group: "machine",
    label: "clock",
    async run() {
      const now = clock.now();
      const next = "set the clock: timedatectl set-ntp true, on macOS sudo sntp -sS time.apple.com";
      if (now < earliest)
        return [
          {
            id: "machine.clock",
            severity: "error",
            message: `the clock says ${new Date(now).toISOString()}: certificates and pairing codes do not work with that`,
            next,
          },
        ];
      const files = [paths.database, `${paths.database}-wal`, paths.config];
      const times = await Promise.all(
        files.map((path) =>
          stat(path).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        ),
      );
      const latest = Math.max(...times);
      if (latest <= now + slackMs) return [];
      return [
        {
          id: "machine.clock",
          severity: "warning",
          message: `files of the Gateway are from the future (${new Date(latest).toISOString()}): the clock is behind, or was ahead`,
          next,
        },
      ];
    },
  };
}

const synced: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/[\\/]Library[\\/]Mobile Documents[\\/]/u, "iCloud"],
  [/[\\/]Library[\\/]CloudStorage[\\/]/u, "a cloud service"],
  [/[\\/]Dropbox(?:[\\/]|$)/u, "Dropbox"],
  [/[\\/]OneDrive[^\\/]*(?:[\\/]|$)/u, "OneDrive"],
  [/[\\/]Google ?Drive(?:[\\/]|$)/u, "Google Drive"],
  [/[\\/]Nextcloud(?:[\\/]|$)/u, "Nextcloud"],
  [/[\\/]Syncthing(?:[\\/]|$)/u, "Syncthing"],
];
/** What such programs leave in the folders they copy. */
const syncMarks = [".dropbox.cache", ".stfolder", ".owncloudsync.log"];

export function createSyncCheck({ paths }: Scene): DoctorCheck {
  return {
    id: "sync",
    group: "files",
    label: "folders that are copied about",
    async run() {
      const name = synced.find(([pattern]) => pattern.test(`${paths.state}/`))?.[1] ?? (await findMark(paths.state));
      if (name === undefined) return [];
      return [
        {
          id: "files.synced",
          severity: "warning",
          message: `${name} copies the state folder to other machines: two of them at once damage the database, and secrets leave this one`,
          next: `move it: set the STATE_DIR variable to a folder outside of ${dirname(paths.state)}`,
        },
      ];
    },
  };
}

async function findMark(folder: string): Promise<string | undefined> {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    for (const mark of syncMarks) {
      const isThere = await access(`${at}/${mark}`).then(
        () => true,
        () => false,
      );
      if (isThere) return `a program that keeps ${mark} in ${at}`;
    }
  }
  return undefined;
}
