// A Gateway that starts anew does not end because of what was written into its config meanwhile: what cannot be had is told, and
// what was there before goes on (R9).

import { Fault, renderFault } from "../../base/fault.ts";
import type { GatewaySecret } from "../../config/secret.ts";
import type { TlsMaterial } from "../../platform/tls-files.ts";

/** What the life before had. */
export interface Before {
  readonly port: number;
  readonly secret: GatewaySecret;
  /** It does not go on in the clear. */
  readonly tls: TlsMaterial | undefined;
}

export interface Fallback {
  readonly before: Before | undefined;
  /** `task`; when it throws a Fault in a later life, `instead`. In the first life the Fault is thrown. */
  attempt<T>(task: () => T | Promise<T>, instead: (before: Before) => T | Promise<T>): Promise<T>;
  /** What could not be had, one line each. */
  complaints(): readonly string[];
}

export function createFallback(before: Before | undefined): Fallback {
  const complaints: string[] = [];
  return {
    before,
    async attempt(task, instead) {
      try {
        return await task();
      } catch (error) {
        if (before === undefined || !(error instanceof Fault)) throw error;
        complaints.push(`going on as before the restart: ${renderFault(error)}`);
        return instead(before);
      }
    },
    complaints: () => complaints,
  };
}
