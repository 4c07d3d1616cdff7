// Cuts Markdown into pieces of at most `limit` UTF-16 units. A code fence that must be cut is closed and opened again; a
// grapheme is never cut. Prefers a blank line, then a line end, a sentence, a space (R39).

import { graphemeBoundary } from "../base/text.ts";

/** Smallest limit that leaves room for a fence to be closed and reopened. */
export const minChunkLimit = 64;

interface Fence {
  readonly marker: string;
  readonly opening: string;
}

/** The pieces in order; none is empty. Blank text gives none. `limit` below `minChunkLimit` counts as that. */
export function chunkMarkdown(markdown: string, limit: number): string[] {
  const max = Math.max(limit, minChunkLimit);
  const chunks: string[] = [];
  let rest = markdown.trimEnd();
  let open: Fence | undefined;

  while (rest.trim() !== "") {
    const prefix = open ? `${open.opening}\n` : "";
    if (prefix.length + rest.length <= max) {
      chunks.push(prefix + rest);
      break;
    }
    const cut = decideCut(rest, open, max - prefix.length);
    const after = fenceAfter(rest.slice(0, cut), open);
    const piece = rest.slice(0, cut).replace(/\s+$/u, "");
    if (piece.trim() !== "" && !isOnlyFence(prefix + piece))
      chunks.push(prefix + piece + (after ? `\n${after.marker}` : ""));
    rest = rest.slice(cut).replace(after ? /^\n/u : /^\s*\n|^ +/u, "");
    open = after;
  }
  return chunks;
}

/** Where to cut so that the piece, with a closing fence if it needs one, stays within `room`. */
function decideCut(text: string, open: Fence | undefined, room: number): number {
  // the fence open at the best cut may differ from the one at the end of the room: always keep space for a closing line
  const reserve = longestMarker(text.slice(0, room), open) + 1;
  const window = text.slice(0, Math.max(1, room - reserve));
  const floor = Math.floor(window.length / 3);
  const breaks = [/\n[ \t]*\n/gu, /\n/gu, /[.!?。！？]\s/gu, /\s/gu];
  for (const pattern of breaks) {
    let best = -1;
    for (const match of window.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (end > floor && end <= window.length) best = end;
    }
    if (best > 0) return best;
  }
  return Math.max(1, graphemeBoundary(text, window.length) || firstGrapheme(text, room));
}

/** A grapheme longer than the room (pathological combining marks) is cut by code units: nothing else can be done. */
function firstGrapheme(text: string, room: number): number {
  const end = Math.max(1, room);
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff && end > 1 ? end - 1 : end;
}

const fenceLine = /^ {0,3}(`{3,}|~{3,})(.*)$/u;

/** The fence still open at the end of `text`, given the one open at its start. */
function fenceAfter(text: string, open: Fence | undefined): Fence | undefined {
  let current = open;
  for (const line of text.split("\n")) {
    const match = fenceLine.exec(line);
    if (!match) continue;
    const [, marker = "", info = ""] = match;
    if (!current) {
      if (marker.startsWith("`") && info.includes("`")) continue;
      current = { marker: marker.slice(0, 16), opening: `${marker.slice(0, 16)}${info.trim().slice(0, 24)}` };
    } else if (marker.startsWith(current.marker) && info.trim() === "") current = undefined;
  }
  return current;
}

function longestMarker(text: string, open: Fence | undefined): number {
  const markers = text.split("\n").flatMap((line) => fenceLine.exec(line)?.[1]?.slice(0, 16).length ?? []);
  return Math.max(open?.marker.length ?? 0, 0, ...markers);
}

function isOnlyFence(text: string): boolean {
  return text.split("\n").every((line) => line.trim() === "" || fenceLine.test(line));
}
