// The A2UI page: draws what it is given, and hands on what is pressed, to the app around it.

import { createBoard } from "./board.ts";
import { findApp, offerBoard, onAppStatus } from "./bridge.ts";
import { pageClock } from "./page-clock.ts";

const container = document.querySelector<HTMLElement>("#board");
const noteElement = document.querySelector<HTMLElement>("#note");
if (!container || !noteElement) throw new Error("the page has no board");

const say = (text: string) => {
  noteElement.textContent = text;
};

const board = createBoard(container, (pressed) => {
  const userAction = { id: crypto.randomUUID(), ...pressed, timestamp: new Date(pageClock.now()).toISOString() };
  const app = findApp();
  say(app ? "Sent." : "Nobody takes what is pressed here: open this page through your client.");
  app?.({ userAction });
});
offerBoard(board);
onAppStatus(({ ok, error }) => say(ok === true ? "" : `It was not taken: ${String(error)}`));
