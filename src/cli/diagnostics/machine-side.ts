// What can be seen of the machine, the service and the disk without the Gateway.

import { readdir, stat, statfs } from "node:fs/promises";
import { arch, cpus, freemem, loadavg, platform, release, totalmem, type, uptime } from "node:os";
import { join } from "node:path";

import type { Collector } from "../../diagnostics/bundle.ts";
import { files } from "../../diagnostics/files.ts";
import { variableNames } from "../../platform/env.ts";
import type { Scope } from "./scope.ts";

/** More files than that are counted no further. */
const maxFiles = 50_000;

export function createMachineCollectors({ context }: Scope): readonly Collector[] {
  const { brand, version, paths, clock } = context;
  return [
    {
      file: files.environment,
      label: "versions and platform",
      run: async () => ({
        value: {
          product: brand.name,
          version,
          node: process.versions.node,
          versions: { v8: process.versions.v8, uv: process.versions.uv, sqlite: process.versions["sqlite"] ?? null },
          program: process.argv[1],
          system: {
            platform: platform(),
            type: type(),
            release: release(),
            arch: arch(),
            uptimeMs: Math.round(uptime() * 1000),
          },
          cpu: {
            count: cpus().length,
            model: cpus()[0]?.model ?? null,
            load: loadavg().map((load) => Math.round(load * 100) / 100),
          },
          memory: { totalBytes: totalmem(), freeBytes: freemem() },
          isProfile: paths.profile !== undefined,
          offsetMinutes: -new Date(clock.now()).getTimezoneOffset(),
          // their values are nobody's business
          variables: variableNames([`${brand.envPrefix}_`, `${brand.fallbackEnvPrefix}_`, "NODE_"]),
        },
      }),
    },
    {
      file: files.service,
      label: "service as installed",
      async run() {
        const [{ openCliServices }, { inspectService }] = await Promise.all([
          import("../service/open.ts"),
          import("../service/inspect.ts"),
        ]);
        const services = await openCliServices(context, "gateway");
        const reading = services.manager.read();
        const [report, installed] = await Promise.all([inspectService(services, reading), reading]);
        return {
          value: { ...report, variables: Object.keys(installed?.environment ?? {}) },
          leftOut: installed ? ["the service's file as a text, and values of its variables"] : [],
        };
      },
    },
    {
      file: files.disk,
      label: "room on the disk and what takes it",
      async run() {
        const places = [
          { place: "state", path: paths.state },
          { place: "logs", path: paths.logs },
        ];
        return {
          value: {
            room: (await Promise.all(places.map(measureRoom))).flat(),
            used: await Promise.all(
              places.map(async ({ place, path }) => ({ place, entries: await measureFolder(path) })),
            ),
          },
        };
      },
    },
  ];
}

async function measureRoom({ place, path }: { readonly place: string; readonly path: string }) {
  const found = await statfs(path).catch(() => undefined);
  if (!found) return [];
  const { bavail, blocks, bsize, ffree } = found;
  return [
    {
      place,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      freeFilesCount: ffree,
    },
  ];
}

interface Usage {
  readonly name: string;
  readonly bytes: number;
  readonly filesCount: number;
}

/** By entry of the folder itself, the largest first. */
async function measureFolder(folder: string): Promise<readonly Usage[]> {
  const names = await readdir(folder).catch(() => []);
  const left = { count: maxFiles };
  const used: Usage[] = [];
  for (const name of names) used.push({ name, ...(await measure(join(folder, name), left)) });
  return used.toSorted((a, b) => b.bytes - a.bytes).slice(0, 100);
}

async function measure(path: string, left: { count: number }): Promise<Omit<Usage, "name">> {
  const found = left.count > 0 ? await stat(path).catch(() => undefined) : undefined;
  if (!found) return { bytes: 0, filesCount: 0 };
  left.count -= 1;
  if (!found.isDirectory()) return { bytes: found.size, filesCount: 1 };
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  let filesCount = 0;
  for (const entry of entries) {
    // a link leads elsewhere, or round in a circle
    if (entry.isSymbolicLink()) continue;
    const inner = await measure(join(path, entry.name), left);
    bytes += inner.bytes;
    filesCount += inner.filesCount;
  }
  return { bytes, filesCount };
}
