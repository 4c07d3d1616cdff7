// All methods and events in one place, and the types that handlers and clients are checked against. Run-time code imports the
// types only; the table it reads is generated/methods.ts.

import type { Static } from "typebox";

import { events } from "./events.ts";
import type { Frozen } from "./frozen.ts";
import { agentMethods } from "./methods/agent.ts";
import { catalogMethods } from "./methods/catalog.ts";
import { channelMethods } from "./methods/channels.ts";
import { chatMethods } from "./methods/chat.ts";
import { configMethods } from "./methods/config.ts";
import { deviceMethods } from "./methods/devices.ts";
import { execApprovalMethods } from "./methods/exec-approvals.ts";
import { healthMethods } from "./methods/health.ts";
import { messagingMethods } from "./methods/messaging.ts";
import { nodeRoleMethods } from "./methods/node-role.ts";
import { nodeMethods } from "./methods/nodes.ts";
import { presenceMethods } from "./methods/presence.ts";
import { sessionMethods } from "./methods/sessions.ts";
import { usageMethods } from "./methods/usage.ts";
import { voiceMethods } from "./methods/voice.ts";

export { events };

/** In the order in which `features.methods` lists them. */
export const contract = {
  ...healthMethods,
  ...presenceMethods,
  ...messagingMethods,
  ...agentMethods,
  ...chatMethods,
  ...nodeMethods,
  ...nodeRoleMethods,
  ...configMethods,
  ...deviceMethods,
  ...voiceMethods,
  ...execApprovalMethods,
  ...sessionMethods,
  ...usageMethods,
  ...channelMethods,
  ...catalogMethods,
};

export type MethodName = keyof typeof contract;
export type MethodParams<Name extends MethodName> = Static<(typeof contract)[Name]["params"]>;
export type MethodResult<Name extends MethodName> = Frozen<Static<(typeof contract)[Name]["result"]>>;

export type DeviceMethodName = keyof typeof deviceMethods;

export type EventName = keyof typeof events;
export type EventPayload<Name extends EventName> = Frozen<Static<(typeof events)[Name]["payload"]>>;

export type HealthSnapshot = EventPayload<"health">;
export type PresenceEntry = EventPayload<"presence">["presence"][number];
