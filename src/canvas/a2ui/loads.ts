// Every load of the A2UI page gets a secret of its own, which stands in the page and nowhere else. Its socket shows it: pages of the canvas
// know the address, and not this (S17). It binds the page to one session, whatever the page says later.

import type { Ids, SessionKey } from "../../base/ids.ts";

export interface Load {
  /** No secret. */
  readonly id: string;
  readonly sessionKey: SessionKey;
  readonly capability: string;
}

export interface Loads {
  /** The secret of a new load. */
  open(capability: string, sessionKey: SessionKey): string;
  /** Undefined for a secret of another capability, and for one that is unknown or was forgotten. */
  find(capability: string, secret: string): Load | undefined;
}

/** Loads that are remembered; a page older than these has to be loaded again. */
const maxLoads = 256;
const bytes = 32;

export function createLoads(ids: Ids): Loads {
  const loads = new Map<string, Load>();
  return {
    open(capability, sessionKey) {
      const secret = ids.secret(bytes);
      loads.set(secret, { id: ids.uuid(), sessionKey, capability });
      for (const oldest of loads.keys()) {
        if (loads.size <= maxLoads) break;
        loads.delete(oldest);
      }
      return secret;
    },
    find(capability, secret) {
      const load = loads.get(secret);
      if (load?.capability !== capability) return undefined;
      // whoever comes back is no old one
      loads.delete(secret);
      loads.set(secret, load);
      return load;
    },
  };
}
