// Room for connections that have not shown a secret yet: limited in all and for each address, so that strangers cannot take the
// place of authenticated clients (S30).

import { maxUnauthenticated, maxUnauthenticatedPerAddress } from "./limits.ts";

export interface Admission {
  /** @returns the function that gives the place back, or undefined when there is no room. */
  enter(address: string): (() => void) | undefined;
}

export function createAdmission(): Admission {
  const perAddress = new Map<string, number>();
  let total = 0;
  return {
    enter(address) {
      const count = perAddress.get(address) ?? 0;
      if (total >= maxUnauthenticated || count >= maxUnauthenticatedPerAddress) return undefined;
      total += 1;
      perAddress.set(address, count + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        total -= 1;
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left > 0) perAddress.set(address, left);
        else perAddress.delete(address);
      };
    },
  };
}
