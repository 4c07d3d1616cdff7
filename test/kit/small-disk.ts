// A disk of some megabytes: a tmpfs in namespaces of its own, so that nobody else on the machine sees it. It lasts over the lives of
// what runs on it. Needs Linux and namespaces for users; without them there is none.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface SmallDisk {
  /** Stands before a command that is to see it. */
  readonly enter: readonly string[];
  /** The same folder for who is outside. */
  readonly path: string;
  /** Takes all room but for about that many bytes. */
  fill(leaveBytes?: number): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  freeBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** `folder` becomes the disk; undefined where that cannot be had. */
export async function mountSmallDisk(folder: string, megabytes: number): Promise<SmallDisk | undefined> {
  if (process.platform !== "linux") return undefined;
  await mkdir(folder, { recursive: true });
  const script = `mount -t tmpfs -o size=${megabytes}m,mode=0700 tmpfs "$0" && echo ready && exec sleep 100000`;
  const holder = spawn("unshare", ["-rm", "/bin/sh", "-c", script, folder], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => {
    holder.once("exit", () => resolve());
    holder.once("error", () => resolve());
  });
  const isReady = await Promise.race([
    new Promise<boolean>((resolve) => holder.stdout.once("data", () => resolve(true))),
    ended.then(() => false),
  ]);
  const stop = async () => {
    holder.kill("SIGKILL");
    await ended;
  };
  const path = `/proc/${holder.pid}/root${folder}`;
  if (!isReady || !existsSync(path)) {
    await stop();
    return undefined;
  }
  const ballast = join(path, "ballast");
  return {
    enter: ["nsenter", "--preserve-credentials", "-t", String(holder.pid), "-U", "-m", "--"],
    path,
    async fill(leaveBytes = 0) {
      const file = await open(ballast, "a");
      try {
        for (let size = 65_536; size >= 4_096;) {
          const { bavail, bsize } = await statfs(path);
          if (bavail * bsize - leaveBytes < size) size /= 2;
          else await file.write(Buffer.alloc(size, 1));
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    async freeBytes() {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    stop,
  };
}
