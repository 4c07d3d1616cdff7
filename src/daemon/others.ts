// Services that look like a Gateway and are not the one in question: two on one machine fight over ports and accounts.

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { serviceMarkers, type Brand } from "../base/brand.ts";
import { codeOf } from "../base/error-code.ts";
import { readTextIfExists } from "../platform/files.ts";
import { kindOf } from "./definition.ts";
import { parsePlist } from "./plist.ts";
import { parseUnit } from "./systemd-unit.ts";
import type { Tool } from "./tool.ts";

export interface OtherService {
  readonly platform: NodeJS.Platform;
  readonly label: string;
  /** Where it is. */
  readonly detail: string;
  readonly scope: "user" | "system";
  readonly marker?: string;
  /** Of another or an older name. */
  readonly legacy?: boolean;
  /** What to type to be rid of it. */
  readonly cleanup: readonly string[];
}

export interface Search {
  readonly brand: Brand;
  readonly platform: NodeJS.Platform;
  /** Services that are known already, by file. */
  readonly known: readonly string[];
  readonly folders: readonly { readonly path: string; readonly scope: "user" | "system" }[];
}

/** By unit or property list. Services of profiles, which say that they are ours, are left out in the user's own folder. */
export async function findOtherServices({ brand, platform, known, folders }: Search): Promise<OtherService[]> {
  const ending = platform === "darwin" ? ".plist" : ".service";
  const found: OtherService[] = [];
  for (const { path, scope } of folders) {
    for (const name of (await list(path)).filter((file) => file.endsWith(ending)).toSorted()) {
      const file = join(path, name);
      if (known.includes(file)) continue;
      // a unit may be a link into the void, or somebody else's secret
      const text = await readTextIfExists(file).catch(() => undefined);
      const sign = text === undefined ? undefined : recognise({ brand, platform, scope }, name, text);
      if (!sign) continue;
      const commands = cleanup(platform, { name, file, scope });
      found.push({ platform, label: basename(name, ending), detail: file, scope, ...sign, cleanup: commands });
    }
  }
  return found;
}

type Place = Pick<Search, "brand" | "platform"> & { readonly scope: "user" | "system" };

/** undefined when it is none of those that are looked for. */
function recognise({ brand, platform, scope }: Place, name: string, text: string): Sign | undefined {
  const { environment, program } = platform === "darwin" ? parsePlist(text) : parseUnit(text);
  const marker = findMarker([name, ...program].join(" "));
  const kind = kindOf(environment);
  if (marker === undefined || kind === "node" || (kind === "gateway" && scope === "user")) return undefined;
  return { marker, ...(kind === undefined && marker !== brand.name ? { legacy: true } : {}) };
}

type Sign = Pick<OtherService, "marker" | "legacy">;

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // not there, or not ours to look into
    if (codeOf(error) !== undefined) return [];
    throw error;
  }
}

const findMarker = (text: string) => serviceMarkers.find((marker) => text.toLowerCase().includes(marker));

function cleanup(
  platform: NodeJS.Platform,
  { name, file, scope }: { name: string; file: string; scope: "user" | "system" },
): string[] {
  const isUser = scope === "user";
  const remove = `${isUser ? "" : "sudo "}rm ${file}`;
  if (platform === "darwin") {
    const label = basename(name, ".plist");
    return [isUser ? `launchctl bootout gui/$UID/${label}` : `sudo launchctl bootout system/${label}`, remove];
  }
  return [`${isUser ? "systemctl --user" : "sudo systemctl"} disable --now ${name}`, remove];
}

/** By the names of all tasks; only when asked for, since it takes seconds. */
export async function findOtherTasks(schtasks: Tool, brand: Brand, known: string): Promise<OtherService[]> {
  const { stdout } = await schtasks("/Query", "/FO", "LIST", "/V");
  const names = new Set(
    [...stdout.matchAll(/^TaskName:\s*\\?(.+?)\s*$/gmu)].map(([, name = ""]) => name).filter((name) => name !== known),
  );
  return [...names].flatMap((label): OtherService[] => {
    const marker = findMarker(label);
    // those of profiles are called like ours
    if (marker === undefined || label.startsWith(`${brand.windowsTask} (`) || label.startsWith(`${brand.product} Node`))
      return [];
    const legacy = marker === brand.name ? {} : { legacy: true };
    return [
      {
        platform: "win32",
        label,
        detail: `\\${label}`,
        scope: "user",
        marker,
        ...legacy,
        cleanup: [`schtasks /Delete /F /TN "${label}"`],
      },
    ];
  });
}
