// The config store with what the command line says laid over it: whoever reads the config sees both, whoever writes the file only
// the file.

import type { ConfigSnapshot, ConfigStore } from "../../config/store.ts";
import type { Config } from "../../settings/config.ts";
import { applyFlags, type RunFlags } from "./run-flags.ts";

/** The same config gives the same answer, so that what compares them sees no change where there is none. */
export function withFlags(store: ConfigStore, flags: RunFlags): ConfigStore {
  const configs = new WeakMap<Config, Config>();
  const snapshots = new WeakMap<ConfigSnapshot, ConfigSnapshot>();
  const toConfig = remember(configs, (config) => applyFlags(config, flags));
  const toSnapshot = remember(snapshots, (snapshot) => ({ ...snapshot, config: toConfig(snapshot.config) }));
  return {
    files: store.files,
    current: () => toConfig(store.current()),
    snapshot: () => toSnapshot(store.snapshot()),
    id: store.id,
    keepGood: store.keepGood,
    reload: async (isWanted) => toSnapshot(await store.reload(isWanted && ((config) => isWanted(toConfig(config))))),
  };
}

function remember<Value extends object>(known: WeakMap<Value, Value>, make: (value: Value) => Value) {
  return (value: Value): Value => {
    const found = known.get(value) ?? make(value);
    known.set(value, found);
    return found;
  };
}
