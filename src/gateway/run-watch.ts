// One listener of the bus for all who follow single runs.

import type { RunId } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type { Bus } from "../platform/bus.ts";
import type { WatchRun } from "../ports/run-watch.ts";

export function createRunWatch(bus: Pick<Bus, "subscribe">): WatchRun {
  const watchers = new Map<string, Set<(whole: string) => void>>();
  let unsubscribe: (() => void) | undefined;

  const listen = () =>
    bus.subscribe(({ name, payload }) => {
      if (name !== "agent" || !isRecord(payload) || payload["stream"] !== "assistant" || !isRecord(payload["data"]))
        return;
      const { runId } = payload;
      const { text } = payload["data"];
      if (typeof runId !== "string" || typeof text !== "string") return;
      for (const onText of watchers.get(runId) ?? []) onText(text);
    });

  return (runId: RunId, onText) => {
    unsubscribe ??= listen();
    const own = watchers.get(runId) ?? new Set();
    watchers.set(runId, own.add(onText));
    return () => {
      own.delete(onText);
      if (own.size === 0) watchers.delete(runId);
      if (watchers.size > 0) return;
      unsubscribe?.();
      unsubscribe = undefined;
    };
  };
}
