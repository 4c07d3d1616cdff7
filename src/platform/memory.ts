// Giving memory back to the system.

/**
 * A full collection of garbage, in which the process stands still for some tens of ms: for a moment in which nobody waits. Without it a
 * Gateway that starts anew in its process holds what the one before it left behind, until the engine needs the room.
 */
export async function collectGarbage(): Promise<void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import("node:v8"), import("node:vm")]);
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect();
}
