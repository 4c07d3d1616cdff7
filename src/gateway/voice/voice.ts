// What devices with a microphone share: the words that wake them, which outlive a restart, and whether talking is on.

import { dirname } from "node:path";

import type { Clock } from "../../base/clock.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../../platform/files.ts";
import type { HandlersOf } from "../../ports/method.ts";
import type { Publish } from "../../ports/publish.ts";
import type { Connection } from "../connection.ts";

const maxTriggers = 32;
const maxTriggerLength = 64;

export interface VoiceDependencies {
  readonly path: string;
  readonly clock: Clock;
  readonly publish: Publish;
  /** Until somebody sets others. */
  readonly defaultTriggers: readonly string[];
}

export interface Voice {
  readonly handlers: HandlersOf<"voicewake.get" | "voicewake.set" | "talk.mode">;
  /** Tells a node that has just connected, which asks for nothing. */
  greet(node: Pick<Connection, "notify">): Promise<void>;
}

export function createVoice(dependencies: VoiceDependencies): Voice {
  const { path, clock, publish } = dependencies;
  const handlers: Voice["handlers"] = {
    "voicewake.get": async () => ({ triggers: await readTriggers(dependencies) }),
    async "voicewake.set"({ params }) {
      const triggers = cleanTriggers(params.triggers, dependencies.defaultTriggers);
      await ensureFolder(dirname(path));
      await writeFileAtomic(path, `${JSON.stringify({ triggers, updatedAtMs: clock.now() }, undefined, 2)}\n`);
      publish("voicewake.changed", { triggers });
      return { triggers };
    },
    async "talk.mode"({ params }) {
      const mode = { enabled: params.enabled, phase: params.phase ?? null, ts: clock.now() };
      publish("talk.mode", mode);
      return mode;
    },
  };
  return {
    handlers,
    async greet(node) {
      node.notify("voicewake.changed", { triggers: await readTriggers(dependencies) });
    },
  };
}

async function readTriggers({ path, defaultTriggers }: VoiceDependencies): Promise<string[]> {
  const value = parseJson((await readTextIfExists(path)) ?? "");
  const triggers: unknown = isRecord(value) ? value["triggers"] : undefined;
  const texts: readonly unknown[] = Array.isArray(triggers) ? triggers : [];
  return cleanTriggers(
    texts.filter((text) => typeof text === "string"),
    defaultTriggers,
  );
}

/** Trimmed, each once, so many and so long; the defaults when nothing is left. */
export function cleanTriggers(texts: readonly string[], defaults: readonly string[]): string[] {
  const clean = texts.map((text) => text.trim().slice(0, maxTriggerLength).trim()).filter(Boolean);
  const kept = [...new Set(clean)].slice(0, maxTriggers);
  return kept.length > 0 ? kept : [...defaults];
}
