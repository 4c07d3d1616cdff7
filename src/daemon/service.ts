// What the CLI asks of a service, whichever system keeps it.

import type { InstalledDefinition, ServiceDefinition } from "./definition.ts";

export interface ServiceRuntime {
  readonly status: "running" | "stopped" | "unknown";
  /** In the words of the system. */
  readonly state?: string;
  readonly subState?: string;
  readonly pid?: number;
  readonly lastExitStatus?: number;
  readonly lastExitReason?: string;
  readonly lastRunResult?: string;
  readonly lastRunTime?: string;
  /** Why it is not known, or what is the matter. */
  readonly detail?: string;
  readonly next?: string;
  /** The system knows it and its file is gone. */
  readonly cachedLabel?: boolean;
  /** The system does not know it. */
  readonly missingUnit?: boolean;
}

export interface ServiceStatus {
  /** It starts by itself with the machine, or with the login. */
  readonly isLoaded: boolean;
  readonly runtime: ServiceRuntime;
}

export interface ServiceManager {
  /** The system's name, for people. */
  readonly label: string;
  readonly loadedText: string;
  readonly notLoadedText: string;
  /** What the system calls the service. */
  readonly name: string;
  readonly scope: "user" | "system";
  /** The file that defines it. */
  readonly path: string;
  render(definition: ServiceDefinition): string;
  /** undefined when there is none. */
  read(): Promise<InstalledDefinition | undefined>;
  /** Never throws because the system cannot be asked: that is `unknown` with a reason. */
  status(): Promise<ServiceStatus>;
  /**
   * Writes, enables and starts it, and looks whether it is there then.
   * @returns what its owner should know.
   * @throws Fault that names what is missing.
   */
  install(definition: ServiceDefinition): Promise<readonly string[]>;
  /** Stops it and takes it away. */
  uninstall(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** Its newest output that the system kept; empty when it keeps none. */
  output(): Promise<readonly string[]>;
  /** What to type to see its output. */
  readonly logsCommand: string;
  /** What to type to the system itself, once it is installed. */
  readonly byHand: { readonly stop: string; readonly restart: string };
}
