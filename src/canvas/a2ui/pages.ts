// Talks to the A2UI pages that are open: hands them what their session shows, takes what is pressed there. A page first shows the secret of
// its load, and belongs to that load's session from then on.

import type { WebSocket } from "ws";

import type { Clock } from "../../base/clock.ts";
import { Fault, renderFault, toFault } from "../../base/fault.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import type { Submit } from "../../ports/message.ts";
import type { Holder } from "../capabilities.ts";
import { checkShown, readAction, toInbound } from "./actions.ts";
import type { BoardChange, Boards } from "./boards.ts";
import type { Load, Loads } from "./loads.ts";
import { createPace } from "./pace.ts";
import { renderSurfaces } from "./surfaces.ts";

export interface PagesDependencies {
  readonly boards: Boards;
  readonly loads: Loads;
  readonly submit: Submit;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Pages {
  /** A socket that came in by this capability; `leave` is called when it goes. False: there are too many. */
  add(socket: WebSocket, entrance: Entrance): boolean;
  close(): void;
}

export interface Entrance {
  readonly capability: string;
  /** Whose connection it was handed to. */
  readonly holder: Holder;
  readonly leave: () => void;
}

const maxPages = 64;
const helloMs = 10_000;
/** A page that reads slower than this is sent away; it comes back and gets the whole. */
const maxBufferedBytes = 4 * 1024 * 1024;

interface Page {
  readonly socket: WebSocket;
  readonly holder: Holder;
  readonly load: Load;
}

export function createPages(dependencies: PagesDependencies): Pages {
  const { loads, clock, log } = dependencies;
  const sockets = new Set<WebSocket>();
  const takeAction = createTakeAction(dependencies);

  const begin = async (
    socket: WebSocket,
    { capability, holder }: Entrance,
    frame: Frame,
  ): Promise<Page | undefined> => {
    const { load: secret, version } = frame;
    const load = frame["type"] === "hello" && typeof secret === "string" ? loads.find(capability, secret) : undefined;
    if (!load) {
      socket.close(1008, "load this page again");
      return undefined;
    }
    const page = { socket, holder, load };
    await showBoard(page, typeof version === "number" ? version : -1, dependencies);
    return page;
  };

  return {
    add(socket, entrance) {
      if (sockets.size >= maxPages) return false;
      sockets.add(socket);
      let page: Page | undefined;
      // one frame after the other, in the order in which they came
      let work: Promise<void> = Promise.resolve();
      const timer = clock.after(helloMs, () => {
        if (!page) socket.close(1008, "no hello");
      });
      const take = async (frame: Frame) => {
        if (page) await takeAction(page, frame);
        else page = await begin(socket, entrance, frame);
      };
      socket.on("message", (data, isBinary) => {
        const frame = isBinary ? undefined : parseJson(textOf(data));
        if (!isRecord(frame)) {
          socket.close(1008, "frames are JSON objects");
          return;
        }
        work = work
          .then(() => take(frame))
          .catch((error: unknown) => {
            log.error("a page of A2UI could not be served", { error });
            socket.close(1011, "internal error");
          });
      });
      socket.once("close", () => {
        timer.cancel();
        sockets.delete(socket);
        entrance.leave();
      });
      return true;
    },
    close() {
      for (const socket of sockets) socket.close(1012, "service restart");
    },
  };
}

type Frame = Readonly<Record<string, unknown>>;

/** Our socket server hands out whole messages as buffers. */
const textOf = (data: unknown) => (data instanceof Buffer ? data.toString("utf8") : "");

function send(socket: WebSocket, frame: object): void {
  if (socket.bufferedAmount > maxBufferedBytes) socket.terminate();
  else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
}

/** All of it, unless the page has it already; then every change, and all of it again where one was missed. */
async function showBoard(
  { socket, holder, load }: Page,
  known: number,
  { boards, log }: PagesDependencies,
): Promise<void> {
  const { mayAct } = holder;
  let shown: number | undefined;
  /** Resolves when the page is sent what there is now. */
  const showAll = async (has: number) => {
    shown = undefined;
    const { version, surfaces } = await boards.look(load.sessionKey);
    shown = version;
    if (version === has) send(socket, { type: "current", version, mayAct });
    else send(socket, { type: "state", version, mayAct, messages: renderSurfaces(surfaces) });
  };
  const tell = ({ version, messages }: BoardChange) => {
    // what is being looked at now has it already: a change is kept before it is told
    if (shown === undefined || version === shown) return;
    if (version === shown + 1) {
      shown = version;
      send(socket, messages ? { type: "update", version, messages } : { type: "state", version, mayAct, messages: [] });
    } else showAll(-1).catch((error: unknown) => log.error("a page of A2UI missed a change", { error }));
  };
  const unwatch = boards.watch(load.sessionKey, tell);
  socket.once("close", unwatch);
  if (socket.readyState !== socket.OPEN) unwatch();
  await showAll(known);
}

/** Actions of a load that are remembered; the database knows older ones too. */
const maxRemembered = 200;

function createTakeAction({ boards, submit, clock, log }: PagesDependencies) {
  const pace = createPace(clock);
  const taken = new Set<string>();

  const perform = async ({ load, holder }: Page, frame: Frame) => {
    const action = readAction(frame);
    const name = `${load.id}:${action.id}`;
    // sent again because its answer was lost: what it was pressed on may be gone by now
    if (taken.has(name)) return;
    if (!holder.mayAct) {
      throw new Fault("forbidden", "this page may be looked at and not used", {
        next: "open it from a client that may write",
      });
    }
    pace.check(load.sessionKey);
    checkShown(action, (await boards.look(load.sessionKey)).surfaces);
    await submit(toInbound(action, load, holder.caller));
    taken.add(name);
    for (const oldest of taken) {
      if (taken.size <= maxRemembered) break;
      taken.delete(oldest);
    }
  };

  return async (page: Page, frame: Frame): Promise<void> => {
    const { id } = frame;
    if (frame["type"] !== "action" || typeof id !== "string") {
      page.socket.close(1008, "unknown frame");
      return;
    }
    try {
      await perform(page, frame);
      send(page.socket, { type: "result", id, ok: true });
    } catch (error) {
      const fault = toFault(error);
      if (!(error instanceof Fault)) log.error("an action of A2UI broke", { error });
      const { retryAfterMs } = fault;
      const told = error instanceof Fault ? renderFault(fault) : "something went wrong; the log says what";
      send(page.socket, { type: "result", id, ok: false, error: told, ...(retryAfterMs ? { retryAfterMs } : {}) });
    }
  };
}
