// Tells open pages that a file has changed. Files are looked at only while a page listens.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { WebSocket } from "ws";

import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { createFileWatch, type FileWatch } from "../platform/watch.ts";

export interface Live {
  /** Talks to the page until it goes; `leave` is called then. False: there are too many. */
  add(socket: WebSocket, leave: () => void): boolean;
  /** Ends all of them. */
  close(): void;
}

export interface LiveDependencies {
  readonly root: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Watching {
  readonly watch: FileWatch;
  paths: readonly string[];
}

const maxPages = 64;
/** Files and folders that are watched; those beyond are served, and their changes shown by the next reload. */
const maxWatched = 2_000;
const maxDepth = 16;
/** A new file shows by its folder's time only. */
const pollMs = 1_000;
/** An editor makes several changes at once. */
const settleMs = 80;

export function createLive({ root, clock, log }: LiveDependencies): Live {
  const sockets = new Set<WebSocket>();
  let watching: Watching | undefined;
  let settling: Timer | undefined;

  const tell = () => {
    settling = undefined;
    for (const socket of sockets) socket.send("reload");
    const current = watching;
    if (!current) return;
    listPaths(root())
      .then((paths) => {
        current.paths = paths;
        return current.watch.refresh();
      })
      .catch((error: unknown) => log.warn("the canvas folder cannot be listed", { error }));
  };
  const begin = async () => {
    const current: Watching = {
      paths: [],
      watch: createFileWatch({
        paths: () => current.paths,
        clock,
        pollMs,
        onChange: () => {
          settling ??= clock.after(settleMs, tell);
        },
      }),
    };
    watching = current;
    current.paths = await listPaths(root());
    if (watching === current) await current.watch.start();
    if (watching !== current) current.watch.stop();
  };
  const end = () => {
    watching?.watch.stop();
    watching = undefined;
    settling?.cancel();
    settling = undefined;
  };

  return {
    add(socket, leave) {
      if (sockets.size >= maxPages) return false;
      sockets.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        leave();
        if (sockets.size === 0) end();
      });
      if (!watching) begin().catch((error: unknown) => log.warn("the canvas folder cannot be watched", { error }));
      return true;
    },
    close() {
      end();
      for (const socket of sockets) socket.close(1012, "service restart");
    },
  };
}

/** The folder, and all that is served below it. */
async function listPaths(root: string): Promise<readonly string[]> {
  const found = [root];
  const visit = async (folder: string, depth: number): Promise<void> => {
    // a folder that went meanwhile has nothing to tell
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      if (found.length >= maxWatched) return;
      const path = join(folder, entry.name);
      found.push(path);
      if (entry.isDirectory() && depth < maxDepth) await visit(path, depth + 1);
    }
  };
  await visit(root, 1);
  return found;
}
