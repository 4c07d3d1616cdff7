// The A2UI page: draws what a session of the Gateway shows, or what the app around it feeds it, and hands on what is pressed.

import { createBoard, newId, type Pressed } from "./board.ts";
import { findApp, offerBoard, onAppStatus } from "./bridge.ts";
import { openLink } from "./link.ts";
import { pageClock } from "./page-clock.ts";

const container = document.querySelector<HTMLElement>("#board");
const noteElement = document.querySelector<HTMLElement>("#note");
if (!container || !noteElement) throw new Error("the page has no board");

const say = (text: string) => {
  noteElement.textContent = text;
};
const press = (pressed: Pressed) => {
  const app = findApp();
  if (app) {
    say("Sent.");
    app({
      userAction: { id: newId(), ...pressed, timestamp: new Date(pageClock.now()).toISOString() },
    });
  } else if (link) link.act(pressed);
  else say("Nobody takes what is pressed here: open this page from your client.");
};

const board = createBoard(container, press);
offerBoard({
  ...board,
  apply(messages) {
    board.apply(messages);
    say("");
  },
});
onAppStatus(({ ok, error }) => say(ok === true ? "" : `It was not taken: ${String(error)}`));
const { load } = document.body.dataset;
const link = load === undefined ? undefined : openLink(load, board, say);
if (!link && !findApp()) say("This page belongs to no conversation: open it from your client.");
