// Random path segments that let their holder read the canvas (S16): each belongs to one session, lasts a short time from its last
// use, and ends with its session. Nobody is let in for an address that others share.

import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { Caller } from "../ports/method.ts";

/** Who was handed a capability and may look into sessions by it. */
export interface Holder {
  readonly caller: Caller;
  /** May write into sessions too. */
  readonly mayAct: boolean;
}

export interface Capabilities {
  /** The one of this session, made when there is none. Without a holder it shows files and nothing of a session. */
  of(session: string, holder?: Holder): string;
  /** Undefined for one that has ended, or has none. */
  holderOf(capability: string): Holder | undefined;
  /** Uses it: it lasts longer then. */
  isValid(capability: string): boolean;
  /** Until the returned function is called it does not end by time alone; `onEnd` is called when its session ends before that. */
  hold(capability: string, onEnd: () => void): () => void;
  /** What the session was given lets nobody in from now on. */
  end(session: string): void;
}

/** From the last use. */
export const capabilityTtlMs = 10 * 60_000;
/** 256 bits. */
const bytes = 32;

interface Grant {
  readonly session: string;
  readonly holder: Holder | undefined;
  usedAt: number;
  readonly holders: Set<() => void>;
}

export function createCapabilities({ clock, ids }: { readonly clock: Clock; readonly ids: Ids }): Capabilities {
  const grants = new Map<string, Grant>();
  const find = (capability: string) => {
    const grant = grants.get(capability);
    if (!grant) return undefined;
    if (grant.holders.size > 0 || clock.monotonic() - grant.usedAt < capabilityTtlMs) return grant;
    grants.delete(capability);
    return undefined;
  };

  return {
    of(session, holder) {
      for (const [capability, grant] of grants) {
        if (!find(capability) || grant.session !== session) continue;
        grant.usedAt = clock.monotonic();
        return capability;
      }
      const made = ids.secret(bytes);
      grants.set(made, { session, holder, usedAt: clock.monotonic(), holders: new Set() });
      return made;
    },
    holderOf: (capability) => find(capability)?.holder,
    isValid(capability) {
      const grant = find(capability);
      if (!grant) return false;
      grant.usedAt = clock.monotonic();
      return true;
    },
    hold(capability, onEnd) {
      const grant = find(capability);
      if (!grant) return () => {};
      grant.holders.add(onEnd);
      return () => {
        grant.usedAt = clock.monotonic();
        grant.holders.delete(onEnd);
      };
    },
    end(session) {
      for (const [capability, grant] of grants) {
        if (grant.session !== session) continue;
        grants.delete(capability);
        for (const onEnd of grant.holders) onEnd();
      }
    },
  };
}
