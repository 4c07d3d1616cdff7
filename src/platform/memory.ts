// Giving memory back to the system, and not taking more than is needed.

/**
 * A full collection of garbage, in which the process stands still for some tens of ms: for a moment in which nobody waits. Without it a
 * Gateway that starts anew in its process holds what the one before it left behind, until the engine needs the room. What lives is moved
 * together, so that the room between goes back to the system.
 */
export async function collectGarbage(): Promise<void> {
  (await loadCollector())({ type: "major", flavor: "last-resort" });
}

/**
 * From now on the heap takes less room for more frequent looks for garbage. By itself the engine gives what is new 64 MB in one busy
 * moment, for good, and lets what is older grow to several times what is used before it looks.
 */
export async function keepHeapSmall(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  // what is new keeps the 8 MB that a start needs
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--optimize-for-size");
}

export interface Sweep {
  /** So many bytes were read that are garbage soon. */
  passed(bytes: number): void;
}

/** How much of it there may be: the engine, which does not count it as its own, would let 32 MB come together. */
const sweptBytes = 4 * 1024 * 1024;

/** Throws away what large transfers leave behind while they go on: a millisecond for every few megabytes. */
export function createSweep(): Sweep {
  let left = sweptBytes;
  let collect: Collector | undefined;
  let isLoading = false;
  const load = async () => {
    collect = await loadCollector();
  };
  return {
    passed(bytes) {
      left -= bytes;
      if (left > 0) return;
      if (collect) {
        left = sweptBytes;
        collect({ type: "minor" });
      } else if (!isLoading) {
        isLoading = true;
        void load();
      }
    },
  };
}

type Collector = (
  options: { readonly type: "minor" } | { readonly type: "major"; readonly flavor: "last-resort" },
) => void;

async function loadCollector(): Promise<Collector> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import("node:v8"), import("node:vm")]);
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  // an engine without it collects when it likes
  return typeof collect === "function" ? (collect as Collector) : () => undefined;
}
