// What the agent shows in each session: pushed by its tool, kept, and told to the pages that are open.

import type { Clock } from "../../base/clock.ts";
import type { SessionKey } from "../../base/ids.ts";
import type { Database } from "../../platform/database.ts";
import { checkSurfaces } from "./check.ts";
import type { A2uiMessage } from "./messages.ts";
import { findBoard, findVersion, keepBoard, type StoredBoard } from "./store.ts";
import { foldMessages, renderChange, surfaceOf, type Surfaces } from "./surfaces.ts";

export interface BoardChange {
  readonly version: number;
  /** For who shows `version - 1`; absent: everything went. */
  readonly messages?: readonly A2uiMessage[];
}

export interface Push {
  readonly sessionKey: SessionKey;
  /** The same push twice in a row changes nothing the second time (R1). */
  readonly effectKey: string;
}

export interface Boards {
  /** Resolves with what is shown then. @throws Fault `invalid_params` or `too_large`: nothing was changed then. */
  push(push: Push, messages: readonly A2uiMessage[]): Promise<Surfaces>;
  reset(push: Push): Promise<void>;
  look(sessionKey: SessionKey): Promise<StoredBoard>;
  /** Told of every change from now on, until the returned function is called. */
  watch(sessionKey: SessionKey, listener: (change: BoardChange) => void): () => void;
  /** Pages that are open on this session. */
  countPages(sessionKey: SessionKey): number;
}

export function createBoards({ database, clock }: { readonly database: Database; readonly clock: Clock }): Boards {
  const listeners = new Map<SessionKey, Set<(change: BoardChange) => void>>();
  const tell = (sessionKey: SessionKey, change: BoardChange) => {
    for (const listener of listeners.get(sessionKey) ?? []) listener(change);
  };
  /** What is worked out takes milliseconds, so it is not done while others wait for the database. */
  const change = async (
    push: Push,
    next: (before: Surfaces) => Surfaces,
  ): Promise<StoredBoard & { isNew: boolean }> => {
    const { sessionKey, effectKey } = push;
    const before = await database.read((sql) => findBoard(sql, sessionKey));
    if (before.effectKey === effectKey) return { ...before, isNew: false };
    const after = { version: before.version + 1, effectKey, surfaces: next(before.surfaces) };
    const isKept = await database.write((sql) => {
      if (findVersion(sql, sessionKey) !== before.version) return false;
      keepBoard(sql, sessionKey, { board: after, now: clock.now() });
      return true;
    });
    return isKept ? { ...after, isNew: true } : change(push, next);
  };

  return {
    async push(push, messages) {
      const touched = new Set(messages.map(surfaceOf));
      const { version, surfaces, isNew } = await change(push, (before) => {
        const after = foldMessages(before, messages);
        checkSurfaces(after, touched);
        return after;
      });
      if (isNew) tell(push.sessionKey, { version, messages: renderChange(messages, surfaces) });
      return surfaces;
    },
    async reset(push) {
      const { version, isNew } = await change(push, () => new Map());
      if (isNew) tell(push.sessionKey, { version });
    },
    look: (sessionKey) => database.read((sql) => findBoard(sql, sessionKey)),
    watch(sessionKey, listener) {
      const mine = listeners.get(sessionKey) ?? new Set();
      listeners.set(sessionKey, mine.add(listener));
      return () => {
        mine.delete(listener);
        if (mine.size === 0 && listeners.get(sessionKey) === mine) listeners.delete(sessionKey);
      };
    },
    countPages: (sessionKey) => listeners.get(sessionKey)?.size ?? 0,
  };
}
