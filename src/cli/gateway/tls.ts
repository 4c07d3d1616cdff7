// `gateway.tls`: which files, what is made when there are none, and what clients of this machine know of it.

import { hostname } from "node:os";

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { tlsFiles, type TlsFiles } from "../../platform/paths.ts";
import type { TlsMaterial } from "../../platform/tls-files.ts";
import { createFileWatch, type FileWatch } from "../../platform/watch.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

const dayMs = 24 * 3_600_000;
const validDays = 3_650;
/** Key and certificate are written one after the other. */
const settleMs = 300;

/** undefined when TLS is off. @throws Fault `config_invalid` with the key at fault. */
export async function openTls(
  context: Context,
  gateway: Config["gateway"],
  log: Log,
): Promise<TlsMaterial | undefined> {
  const { tls } = gateway;
  if (tls?.enabled !== true) return undefined;
  const { loadTls, soonDays } = await import("../../platform/tls-files.ts");
  const now = context.clock.now();
  const hosts = new Set(["localhost", hostname().slice(0, 63), "127.0.0.1", "::1"]);
  if (gateway.bind === "custom" && gateway.customBindHost) hosts.add(gateway.customBindHost);
  const request = {
    commonName: `${context.brand.name}-gateway`,
    hosts: [...hosts],
    // clocks differ
    from: now - dayMs,
    until: now + validDays * dayMs,
  };
  const material = await loadTls(tlsFiles(context.paths, tls), tls.autoGenerate === false ? undefined : request);
  const days = Math.floor((material.expiresAt - now) / dayMs);
  if (days < 0) log.warn(`the certificate ran out ${-days} days ago: most clients refuse it`);
  else if (days < soonDays) log.warn(`the certificate runs out in ${days} days`);
  return material;
}

export interface TlsWatch {
  /** Looks at the files while there is something to look at. */
  follow(isOn: boolean): Promise<void>;
  stop(): void;
}

/** @param renew what to do once the files have changed; what it throws is told, and the certificate before stays. */
export function createTlsWatch(options: {
  readonly files: () => TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly renew: () => Promise<void>;
}): TlsWatch {
  const { files, clock, log, renew } = options;
  let watch: FileWatch | undefined;
  let isDue = false;

  const look = () => {
    isDue = false;
    if (!watch) return;
    renew().catch((error: unknown) => log.warn("the new certificate cannot be used; the one before stays", { error }));
  };
  const stop = () => {
    watch?.stop();
    watch = undefined;
  };
  return {
    async follow(isOn) {
      if (!isOn) stop();
      if (!isOn || watch) return;
      watch = createFileWatch({
        paths: () => Object.values(files()).filter((path) => path !== undefined),
        clock,
        onChange() {
          if (!isDue) clock.after(settleMs, look);
          isDue = true;
        },
      });
      await watch.start();
    },
    stop,
  };
}
