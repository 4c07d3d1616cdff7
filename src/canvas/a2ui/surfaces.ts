// What is shown in a session: surfaces as all messages so far have left them. Pure.

import { Fault } from "../../base/fault.ts";
import type { A2uiMessage, BeginRendering, DataModelUpdate } from "./messages.ts";
import type { Component } from "./references.ts";

export interface SurfaceState {
  readonly components: readonly Component[];
  /** Those that still count, oldest first. */
  readonly data: readonly DataModelUpdate[];
  /** Absent: it is not shown yet. */
  readonly begin?: BeginRendering;
}

/** By id, in the order in which they came. */
export type Surfaces = ReadonlyMap<string, SurfaceState>;

const maxSurfaces = 16;
const maxComponents = 400;
/** Of all that is kept for a session, as JSON. */
const maxKeptBytes = 512 * 1024;

const emptySurface: SurfaceState = { components: [], data: [] };

/** @throws Fault `too_large` when more would be kept than may be. */
export function foldMessages(before: Surfaces, messages: readonly A2uiMessage[]): Surfaces {
  const after = new Map(before);
  for (const message of messages) {
    const id = surfaceOf(message);
    if ("deleteSurface" in message) after.delete(id);
    else after.set(id, foldOne(after.get(id) ?? emptySurface, message));
  }
  const all = [...after.values()];
  const isTooMuch =
    after.size > maxSurfaces ||
    all.some(({ components }) => components.length > maxComponents) ||
    Buffer.byteLength(JSON.stringify(all)) > maxKeptBytes;
  if (!isTooMuch) return after;
  throw new Fault(
    "too_large",
    `a session shows at most ${maxSurfaces} surfaces, ${maxComponents} components in each and ${maxKeptBytes} bytes`,
    { field: "jsonl", next: "push deleteSurface for what is not needed, or a2ui_reset, and then less" },
  );
}

export function surfaceOf(message: A2uiMessage): string {
  if ("surfaceUpdate" in message) return message.surfaceUpdate.surfaceId;
  if ("dataModelUpdate" in message) return message.dataModelUpdate.surfaceId;
  return "beginRendering" in message ? message.beginRendering.surfaceId : message.deleteSurface.surfaceId;
}

function foldOne(state: SurfaceState, message: A2uiMessage): SurfaceState {
  if ("surfaceUpdate" in message) {
    const byId = new Map([...state.components, ...message.surfaceUpdate.components].map((one) => [one.id, one]));
    return { ...state, components: [...byId.values()] };
  }
  if ("dataModelUpdate" in message) {
    const update = message.dataModelUpdate;
    return { ...state, data: [...state.data.filter((older) => !isReplaced(older, update)), update] };
  }
  return "beginRendering" in message ? { ...state, begin: message.beginRendering } : state;
}

/** What stands at its path or below it is written anew. */
function isReplaced(older: DataModelUpdate, by: DataModelUpdate): boolean {
  const path = segmentsOf(by);
  // a single value cannot be the whole model: the renderer leaves that out
  if (path.length === 0 && by.contents.some(({ key }) => key === ".")) return false;
  const olderPath = segmentsOf(older);
  return path.every((segment, index) => olderPath[index] === segment);
}

/** As the renderer takes a path apart: `a.b[0]` is `/a/b/0`. */
const segmentsOf = ({ path = "/" }: DataModelUpdate) =>
  path
    .replaceAll(/\[(\d+)\]/gu, ".$1")
    .split(/[./]/u)
    .filter((segment) => segment !== "");

/** Messages that draw all of it, on a page that shows nothing yet. */
export function renderSurfaces(surfaces: Surfaces): readonly A2uiMessage[] {
  return [...surfaces].flatMap(([id, state]) => renderSurface(id, state));
}

export function renderSurface(surfaceId: string, { components, data, begin }: SurfaceState): readonly A2uiMessage[] {
  return [
    ...(components.length === 0 ? [] : [{ surfaceUpdate: { surfaceId, components } }]),
    ...data.map((dataModelUpdate) => ({ dataModelUpdate })),
    ...(begin ? [{ beginRendering: begin }] : []),
  ];
}

/**
 * The same messages for a page that shows what was before, each surface's components in one piece: the renderer takes no update that
 * names what it does not hold. Data that was not pushed again stays as the person left it.
 */
export function renderChange(messages: readonly A2uiMessage[], after: Surfaces): readonly A2uiMessage[] {
  const ids = [...new Set(messages.map(surfaceOf))];
  return ids.flatMap((surfaceId) => {
    const mine = messages.filter((message) => surfaceOf(message) === surfaceId);
    const last = mine.findLastIndex((message) => "deleteSurface" in message);
    const later = mine.slice(last + 1);
    const state = after.get(surfaceId);
    const isDrawn = state !== undefined && later.some((message) => "surfaceUpdate" in message);
    return [
      ...(last === -1 ? [] : [{ deleteSurface: { surfaceId } }]),
      ...(isDrawn ? [{ surfaceUpdate: { surfaceId, components: state.components } }] : []),
      ...later.filter((message) => "dataModelUpdate" in message),
      ...later.filter((message) => "beginRendering" in message).slice(-1),
    ];
  });
}
