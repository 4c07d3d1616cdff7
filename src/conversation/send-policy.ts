// A session that is set to `sendPolicy: deny` neither takes messages of clients nor answers in its chat.

import { Fault } from "../base/fault.ts";
import type { SessionKey } from "../base/ids.ts";
import type { Sql } from "../platform/database.ts";
import { findSession } from "./store/sessions.ts";

/** @throws Fault `invalid_params` when the session is muted. */
export function checkSendPolicy(sql: Sql, key: SessionKey): void {
  if (!isMuted(sql, key)) return;
  throw new Fault("invalid_params", "send blocked by session policy", {
    field: "sessionKey",
    next: `clear sendPolicy of ${key} with sessions.patch`,
  });
}

/** As it is set now. */
export function isMuted(sql: Sql, key: SessionKey): boolean {
  return findSession(sql, key)?.settings.sendPolicy === "deny";
}
