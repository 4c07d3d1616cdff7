// The canvas: files of the workspace as pages for the owner, with live reload. Who may read it is decided here (S16): the holder of a
// session's random path, of the Gateway's secret, and on the canvas's own port programs and pages of this machine.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { WebSocket } from "ws";

import { canvasNames } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { Database } from "../platform/database.ts";
import type { Submit } from "../ports/message.ts";
import type { HttpReply, HttpRequest, Route, RouteAccess } from "../ports/route.ts";
import type { Boards } from "./a2ui/boards.ts";
import { createA2uiDoor } from "./a2ui-door.ts";
import { parseAddress, type Address } from "./address.ts";
import { createCapabilities, type Capabilities } from "./capabilities.ts";
import { createLive } from "./live.ts";
import { starterPage } from "./pages.ts";

export interface CanvasDependencies {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly database: Database;
  readonly submit: Submit;
  readonly routePolicy: () => RoutePolicy;
  readonly root: () => string;
  readonly isEnabled: () => boolean;
  readonly isLive: () => boolean;
}

/** Where a request came in, and what its sender needs on a plain path; with a capability nothing else is needed. */
export interface Entrance {
  readonly isOwnPort: boolean;
  readonly access: RouteAccess;
}

export interface Canvas {
  readonly capabilities: Pick<Capabilities, "of" | "end">;
  /** Makes the folder in a workspace that is there, and a first page in an empty one. */
  prepare(): Promise<void>;
  routes(entrance: Entrance): readonly Route[];
  /** What the agent shows in each session. */
  boards(): Promise<Boards>;
  /** True for a path with a capability that holds: its request may come from a page without an origin. */
  isInvited(path: string): boolean;
  /**
   * `unknown`: no path of the canvas. `plain`: live reload for who may read without a capability. `over`: a page of A2UI whose
   * capability has ended; it has to be told so, for a browser tells a page nothing of a refusal.
   */
  judgeSocket(path: string, origin: string | undefined): "unknown" | "refused" | "plain" | "invited" | "over";
  /** A page that `judgeSocket` has let in. */
  addSocket(path: string, socket: WebSocket): void;
  /** Ends the sockets. */
  close(): void;
}

export function createCanvas(dependencies: CanvasDependencies): Canvas {
  const { clock, ids, log, root, isEnabled, isLive } = dependencies;
  const capabilities = createCapabilities({ clock, ids });
  const live = createLive({ root, clock, log });
  const isInvited = ({ capability }: Address) =>
    isEnabled() && capability !== undefined && capabilities.isValid(capability);

  const a2ui = createA2uiDoor({ ...dependencies, capabilities });

  const answer = async (request: HttpRequest, reply: HttpReply, isOwnPort: boolean) => {
    const address = parseAddress(request.path);
    // a wrong random part, and one that has ended, lead nowhere
    if (!address || (address.capability !== undefined && !isInvited(address)))
      throw new Fault("not_found", "not found");
    if (address.page === "a2ui" || address.page === "a2ui-live") {
      await a2ui.answer(request, reply, { address, isOwnPort });
      return;
    }
    const { answerCanvas } = await import("./answer.ts");
    await answerCanvas({ request, reply, address, place: { root: root(), isLive: isLive(), isOwnPort } });
  };
  const createRoute = (hasCapability: boolean, { isOwnPort, access }: Entrance): Route => ({
    name: hasCapability ? "canvas-capability" : "canvas",
    matches(path) {
      const address = parseAddress(path);
      return address !== undefined && (address.capability !== undefined) === hasCapability;
    },
    example: () => `${hasCapability ? `/${canvasNames[0]}/cap/${"0".repeat(64)}` : ""}/${canvasNames[0]}/canvas/`,
    methods: ["GET"],
    access,
    isEnabled,
    maxBodyBytes: () => 0,
    answer: (request, reply) => answer(request, reply, isOwnPort),
  });

  return {
    capabilities,
    async prepare() {
      try {
        await mkdir(root(), { mode: 0o700 }).catch(unless("EEXIST"));
        const isEmpty = (await readdir(root())).length === 0;
        if (isEmpty) await writeFile(join(root(), "index.html"), starterPage, { flag: "wx" }).catch(unless("EEXIST"));
      } catch (error) {
        // a workspace is made by whoever sets one up; a folder in a place of its own could be taken for a state folder
        unless("ENOENT")(error);
      }
    },
    routes: (entrance) => [createRoute(true, { ...entrance, access: "open" }), createRoute(false, entrance)],
    boards: a2ui.boards,
    isInvited(path) {
      const address = parseAddress(path);
      return address !== undefined && isInvited(address);
    },
    judgeSocket(path, origin) {
      const address = parseAddress(path);
      switch (address?.page) {
        case "live":
          if (!isEnabled() || !isLive()) return "refused";
          if (address.capability === undefined) return "plain";
          return isInvited(address) ? "invited" : "refused";
        case "a2ui-live":
          if (!isEnabled() || !a2ui.isPage(origin)) return "refused";
          return isInvited(address) && a2ui.mayTalk(address) ? "invited" : "over";
        default:
          return "unknown";
      }
    },
    addSocket(path, socket) {
      const address = parseAddress(path);
      const capability = address?.capability;
      const leave =
        capability === undefined ? () => {} : capabilities.hold(capability, () => socket.close(1008, "gone"));
      if (address?.page === "a2ui-live") a2ui.add(socket, address, leave);
      else if (!live.add(socket, leave)) {
        leave();
        socket.close(1013, "too many pages");
      }
    },
    close() {
      live.close();
      a2ui.close();
    },
  };
}

function unless(code: string) {
  return (error: unknown) => {
    if (!isCode(error, code)) throw error;
  };
}
