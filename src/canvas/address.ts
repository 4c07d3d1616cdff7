// What a path of the canvas means, still encoded as it came. Pure. Nothing that it names is a file yet.

import { canvasNames } from "../base/brand.ts";

export interface Address {
  /** The random part of `/__openclaw__/cap/<random>/…`; absent on plain paths. */
  readonly capability?: string;
  /** All before the canvas's own path, for links: `` or `/__openclaw__/cap/<random>`. */
  readonly prefix: string;
  readonly page: "files" | "live" | "script" | "a2ui" | "a2ui-live";
  /** Of `files` and `a2ui`: what follows that word, still encoded; empty or beginning with a slash. */
  readonly rest: string;
}

const name = `/(?:${canvasNames.join("|")})`;
const capabilityPattern = new RegExp(`^(${name}/cap/([0-9a-f]{64}))(?=/)`, "u");
const pagePattern = new RegExp(`^${name}/(canvas|a2ui|ws|live\\.js)(/.*)?$`, "u");
const pages: Readonly<Record<string, Address["page"]>> = {
  canvas: "files",
  a2ui: "a2ui",
  "a2ui/ws": "a2ui-live",
  ws: "live",
  "live.js": "script",
};

/** Undefined for a path that is none of the canvas's. */
export function parseAddress(path: string): Address | undefined {
  const [, prefix = "", capability] = capabilityPattern.exec(path) ?? [];
  const [, word = "", rest = ""] = pagePattern.exec(path.slice(prefix.length)) ?? [];
  const page = pages[word + rest] ?? (word === "canvas" || word === "a2ui" ? pages[word] : undefined);
  return page && { ...(capability === undefined ? {} : { capability }), prefix, page, rest };
}

/** Longest name that file systems know. */
const maxSegment = 255;
const maxSegments = 32;

/**
 * The names of folders and file, decoded once; undefined when one of them could be anything else than a plain name: hidden, a step
 * upwards, a separator or drive of any system, a device, a stream, a control character (S19). A folder's path ends with an empty name.
 */
export function parseSegments(rest: string): readonly string[] | undefined {
  const parts = rest.replace(/^\//u, "").split("/");
  if (parts.length > maxSegments) return undefined;
  const segments: string[] = [];
  for (const [index, part] of parts.entries()) {
    const segment = decode(part);
    const isFolderEnd = segment === "" && index === parts.length - 1;
    if (segment === undefined || !(isFolderEnd || isPlainName(segment))) return undefined;
    segments.push(segment);
  }
  return segments;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // overlong or broken UTF-8
    return undefined;
  }
}

const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;

function isPlainName(text: string): boolean {
  if (text === "" || text.startsWith(".") || text.length > maxSegment) return false;
  // oxlint-disable-next-line eslint/no-control-regex -- control characters are what is looked for
  return !/[/\\:*?"<>|\u0000-\u001f\u007f]|[. ]$/u.test(text) && !deviceName.test(text);
}
