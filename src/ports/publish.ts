// How rooms tell clients what happens. The bus behind it is platform/bus.

import type { EventName, EventPayload } from "../protocol/contract.ts";

/** Publishing never blocks and never throws; who may see the event is decided by gateway/broadcast. */
export type Publish = <Name extends EventName>(event: Name, payload: EventPayload<Name>) => void;
