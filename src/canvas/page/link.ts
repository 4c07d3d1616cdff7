// The page's line to the Gateway: what the session shows comes in, what is pressed goes out, once, however often the line breaks.

import { isRecord, parseJson } from "../../base/json.ts";
import { newId, type Board, type Message, type Pressed } from "./board.ts";
import { pageClock } from "./page-clock.ts";

export interface Link {
  act(pressed: Pressed): void;
}

const firstDelayMs = 500;
const maxDelayMs = 15_000;
/** The Gateway does not know this page, and will not. */
const refusedCode = 1008;

/** `load` is the secret of this load of the page. `say` gets what the person should know; nothing when all is well. */
export function openLink(load: string, board: Board, say: (text: string) => void): Link {
  /** By id: they go out again with every connection, until the Gateway has told what became of them. */
  const waiting = new Map<string, string>();
  let version = -1;
  let delayMs = firstDelayMs;
  let socket: WebSocket | undefined;

  const draw = (messages: readonly Message[]) => {
    try {
      board.apply(messages);
      say(board.surfaceIds().length === 0 ? "Nothing is shown here yet." : "");
    } catch (error) {
      say(`This cannot be drawn: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const take = (frame: Readonly<Record<string, unknown>>) => {
    const { type, id, error } = frame;
    if (typeof frame["version"] === "number") ({ version } = frame as { version: number });
    // the Gateway has checked what it sends
    const messages = (frame["messages"] ?? []) as readonly Message[];
    if (type === "state") {
      board.reset();
      draw(messages);
    } else if (type === "update") draw(messages);
    else if (type === "current") say("");
    else if (type === "result" && typeof id === "string" && waiting.delete(id))
      say(frame["ok"] === true ? "Sent." : `It was not taken: ${String(error)}`);
  };
  const open = () => {
    const address = new URL("ws", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const current = new WebSocket(address);
    socket = current;
    current.addEventListener("open", () => {
      delayMs = firstDelayMs;
      current.send(JSON.stringify({ type: "hello", load, version }));
      for (const frame of waiting.values()) current.send(frame);
    });
    current.addEventListener("message", ({ data }) => {
      const frame = parseJson(String(data));
      if (isRecord(frame)) take(frame);
    });
    current.addEventListener("close", ({ code }) => {
      if (code === refusedCode) {
        say("This page is over: open it again from your client.");
        return;
      }
      say("The Gateway is away; trying again.");
      pageClock.after(delayMs, open);
      delayMs = Math.min(delayMs * 2, maxDelayMs);
    });
  };
  open();

  return {
    act(pressed) {
      const id = newId();
      const userAction = { ...pressed, timestamp: new Date(pageClock.now()).toISOString() };
      const frame = JSON.stringify({ type: "action", id, userAction });
      waiting.set(id, frame);
      const isOpen = socket?.readyState === WebSocket.OPEN;
      say(isOpen ? "Sending…" : "It is sent once the Gateway is back.");
      if (isOpen) socket?.send(frame);
    },
  };
}
