// What the checks look at: this instance's places, its config, its service, and whether its Gateway runs. Read once, when asked for.

import type { Brand } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createConfigHistory } from "../config/history.ts";
import type { ConfigFiles } from "../config/evaluate.ts";
import { defaultConfig } from "../config/parse.ts";
import { createConfigWriter, type ConfigWriter, type SourceFile } from "../config/write.ts";
import type { InstalledDefinition } from "../daemon/definition.ts";
import type { Services } from "../daemon/open.ts";
import type { Env } from "../platform/env.ts";
import { readOwner, type LockOwner } from "../platform/lock.ts";
import { createProcessTable } from "../platform/process-table.ts";
import { createRunProcess } from "../platform/process.ts";
import { decidePort, type Paths, type PortChoice } from "../platform/paths.ts";
import type { Config } from "../settings/config.ts";

export interface SceneDependencies {
  readonly brand: Brand;
  readonly version: string;
  readonly env: Env;
  readonly paths: Paths;
  /** The config file with its history. */
  readonly files: ConfigFiles;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  /** Of the flags or the environment; undefined for the default one. */
  readonly profile: string | undefined;
  /** A command as its owner types it. */
  readonly command: (words: string) => string;
  /** Looks beyond what is this user's own, and takes its time. */
  readonly isDeep: boolean;
  /** @throws Fault where services are not managed. */
  readonly openServices: () => Promise<Services>;
  /** Node, then the program. */
  readonly launcher: () => Promise<readonly [string, string]>;
  /** Asks the Gateway of this instance; a reason when it does not answer. `config`: of the file, where it has no errors. */
  readonly ask: (
    config: Config | undefined,
  ) => Promise<RunningGateway | { readonly reason: string; readonly next?: string }>;
}

export interface RunningGateway {
  readonly version: string;
  readonly problems: readonly { readonly message: string; readonly next?: string }[];
}

export interface Scene extends SceneDependencies {
  readonly writer: ConfigWriter;
  /** The config file as it is. */
  source(): Promise<SourceFile>;
  /** The file's config; with errors in it the defaults stand in. */
  config(): Promise<Config>;
  port(): Promise<PortChoice>;
  /** Asked once. */
  gateway(): ReturnType<SceneDependencies["ask"]>;
  /** Who holds the state folder, and lives. */
  owner(): Promise<LockOwner | undefined>;
  /** undefined where there is none, or services are not managed here. */
  service(): Promise<{ readonly services: Services; readonly installed: InstalledDefinition | undefined } | undefined>;
}

export function createScene(dependencies: SceneDependencies): Scene {
  const { paths, env, clock } = dependencies;
  const variable = (name: string) => env.raw(name);
  const history = createConfigHistory({ folder: paths.configHistory, clock });
  const writer = createConfigWriter({ files: { path: paths.config, variable, history }, clock, isMending: true });
  const source = once(() => writer.read());
  const config = async () => (await source()).config ?? defaultConfig();
  return {
    ...dependencies,
    writer,
    source,
    config,
    async port() {
      return decidePort({ env, configured: (await config()).gateway.port, profile: paths.profile });
    },
    gateway: once(async () => dependencies.ask((await source()).config)),
    owner: once(async () => {
      const owner = await readOwner(paths.lock);
      const processes = createProcessTable({ run: createRunProcess(clock), platform: dependencies.platform });
      return owner && (await processes.isAlive(owner.pid)) ? owner : undefined;
    }),
    service: once(async () => {
      try {
        const services = await dependencies.openServices();
        return { services, installed: await services.manager.read() };
      } catch (error) {
        // not managed on this platform
        if (error instanceof Fault) return undefined;
        throw error;
      }
    }),
  };
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => (found ??= look());
}
