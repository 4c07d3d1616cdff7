// The Gateway's devices over a real database in a temporary folder.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Clock } from "../../src/base/clock.ts";
import { Fault } from "../../src/base/fault.ts";
import { systemIds } from "../../src/base/ids.ts";
import { createDevices, type Devices, type Ended } from "../../src/gateway/devices/devices.ts";
import { deviceMigrations } from "../../src/gateway/devices/schema.ts";
import { openTokenKey } from "../../src/gateway/devices/token-key.ts";
import { openDatabase } from "../../src/platform/database.ts";
import type { Publish } from "../../src/ports/publish.ts";

export interface DevicesKit {
  readonly devices: Devices;
  readonly folder: string;
  readonly ended: Ended[];
  /** Nothing can be written while it is true. */
  isDiskFull: boolean;
  close(): Promise<void>;
}

export function openDevicesKit(options: {
  readonly clock: Clock;
  readonly publish?: Publish;
  readonly onEnded?: (ended: Ended, exceptConnId?: string) => void;
}): DevicesKit {
  const folder = mkdtempSync(join(tmpdir(), "devices-"));
  const database = openDatabase(join(folder, "gateway.sqlite"), deviceMigrations);
  const ended: Ended[] = [];
  const devices = createDevices({
    database: {
      ...database,
      write: (task) => (kit.isDiskFull ? Promise.reject(new Fault("storage", "disk is full")) : database.write(task)),
    },
    clock: options.clock,
    ids: systemIds,
    publish: options.publish ?? (() => undefined),
    key: () => openTokenKey(join(folder, "device-key"), systemIds),
    onEnded(what, exceptConnId) {
      ended.push(what);
      options.onEnded?.(what, exceptConnId);
    },
  });
  const kit: DevicesKit = {
    devices,
    folder,
    ended,
    isDiskFull: false,
    async close() {
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return kit;
}
