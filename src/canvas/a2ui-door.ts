// The way of a request to A2UI, which is loaded when the first one comes that may.

import type { WebSocket } from "ws";

import { widenSessionKey, type RoutePolicy } from "../conversation/route.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import type { A2ui, A2uiDependencies } from "./a2ui/a2ui.ts";
import type { Boards } from "./a2ui/boards.ts";
import type { Address } from "./address.ts";
import type { Capabilities } from "./capabilities.ts";

export interface A2uiDoorDependencies extends A2uiDependencies {
  readonly routePolicy: () => RoutePolicy;
  readonly capabilities: Capabilities;
}

export interface A2uiDoor {
  boards(): Promise<Boards>;
  answer(request: HttpRequest, reply: HttpReply, place: { address: Address; isOwnPort: boolean }): Promise<void>;
  /** Our page has no origin; a program sends none. */
  isPage(origin: string | undefined): boolean;
  /** Was this capability, which holds, handed to somebody who may look into sessions? */
  mayTalk(address: Address): boolean;
  /** One that may. `leave` is called when it goes, or is sent away. */
  add(socket: WebSocket, address: Address, leave: () => void): void;
  close(): void;
}

export function createA2uiDoor(dependencies: A2uiDoorDependencies): A2uiDoor {
  const { capabilities, routePolicy, log } = dependencies;
  let loaded: Promise<A2ui> | undefined;
  const open = () => (loaded ??= import("./a2ui/a2ui.ts").then(({ createA2ui }) => createA2ui(dependencies)));
  const holderOf = ({ capability }: Address) =>
    capability === undefined ? undefined : capabilities.holderOf(capability);

  /** The secret of a new load of the page; undefined for who may not look into sessions. */
  const openLoad = async (address: Address, { query }: HttpRequest) => {
    const { capability } = address;
    if (capability === undefined || !holderOf(address)) return undefined;
    const sessionKey = widenSessionKey(query.get("session") ?? "main", routePolicy());
    return (await open()).loads.open(capability, sessionKey);
  };
  const add = async (socket: WebSocket, address: Address, leave: () => void) => {
    const { pages } = await open();
    const { capability } = address;
    const holder = holderOf(address);
    const isIn = capability !== undefined && holder && pages.add(socket, { capability, holder, leave });
    if (!isIn) {
      leave();
      socket.close(1013, "too many pages");
    }
    socket.resume();
  };

  return {
    boards: async () => (await open()).boards,
    async answer(request, reply, { address, isOwnPort }) {
      const { answerA2ui } = await import("./answer-a2ui.ts");
      await answerA2ui({ request, reply, address, isOwnPort, openLoad: () => openLoad(address, request) });
    },
    isPage: (origin) => origin === undefined || origin === "null",
    mayTalk: (address) => holderOf(address) !== undefined,
    add(socket, address, leave) {
      // nothing that it says meanwhile is lost
      socket.pause();
      add(socket, address, leave).catch((error: unknown) => {
        log.error("A2UI cannot be loaded", { error });
        leave();
        socket.terminate();
      });
    },
    close() {
      const closing = loaded?.then(({ pages }) => pages.close());
      closing?.catch((error: unknown) => log.debug("A2UI was never loaded", { error }));
    },
  };
}
