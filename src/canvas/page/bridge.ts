// Apps that show this page in a view of their own feed it and take its actions themselves, under the product's names.

import { canvasNames } from "../../base/brand.ts";
import { isRecord } from "../../base/json.ts";
import type { Board, Message } from "./board.ts";

interface Port {
  postMessage(message: unknown): void;
}

const names = canvasNames.map((name) => name.replaceAll("_", ""));
// what an app may have put there is known at run time only
const scope = globalThis as unknown as Record<string, unknown>;

const isPort = (value: unknown): value is Port => isRecord(value) && typeof value["postMessage"] === "function";

/** Sends to the app around this page; undefined when there is none. Apple's views take objects, Android's take text. */
export function findApp(): ((message: object) => void) | undefined {
  const { webkit } = scope;
  const handlers = isRecord(webkit) && isRecord(webkit["messageHandlers"]) ? webkit["messageHandlers"] : {};
  for (const name of names) {
    const [apple, android] = [handlers[`${name}CanvasA2UIAction`], scope[`${name}CanvasA2UIAction`]];
    // an app's own door, not a window's: there is no origin to name
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- see above
    if (isPort(apple)) return (message) => apple.postMessage(message);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- likewise
    if (isPort(android)) return (message) => android.postMessage(JSON.stringify(message));
  }
  return undefined;
}

/** What the app, or whoever drives the view, calls: `openclawA2UI.applyMessages([…])`. */
export function offerBoard(board: Board): void {
  const offered = {
    applyMessages(messages: readonly Message[]) {
      board.apply(messages);
      return { ok: true, surfaces: board.surfaceIds() };
    },
    reset() {
      board.reset();
      return { ok: true };
    },
    getSurfaces: board.surfaceIds,
  };
  for (const name of names) scope[`${name}A2UI`] = offered;
}

/** The app tells by an event what became of an action. */
export function onAppStatus(listener: (status: Readonly<Record<string, unknown>>) => void): void {
  for (const name of names)
    globalThis.addEventListener(`${name}:a2ui-action-status`, (event) => {
      if (event instanceof CustomEvent && isRecord(event.detail)) listener(event.detail);
    });
}
