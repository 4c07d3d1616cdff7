// Who may come in: the secret, the devices with keys of their own, Tailscale's identities; and the other machines that came.

import { createNodes, type Nodes } from "../../nodes/nodes.ts";
import { createLimiter } from "../auth/limiter.ts";
import { createTailscaleLogin, createWhois } from "../auth/tailscale.ts";
import { createDevices, type Devices, type DevicesDependencies } from "../devices/devices.ts";
import { createTokenKeys } from "../devices/token-key.ts";
import { createDoor, type Door } from "../door.ts";
import { isTailscaleAccepted, toCommandPolicy } from "../policies.ts";
import type { Ground } from "./ground.ts";
import type { Messaging } from "./messaging.ts";

export interface Entrance {
  readonly devices: Devices;
  readonly nodes: Nodes;
  readonly door: Door;
}

export interface EntranceDependencies extends Pick<DevicesDependencies, "onEnded"> {
  readonly conversation: Messaging["conversation"];
}

export function createEntrance(ground: Ground, { conversation, onEnded }: EntranceDependencies): Entrance {
  const { options, config, env, database, bus, routePolicy } = ground;
  const { clock, ids, log, paths } = options;

  const devices = createDevices({
    database,
    clock,
    ids,
    publish: bus.publish,
    key: createTokenKeys(paths.deviceKey, ids),
    onEnded,
  });
  const limiter = createLimiter(clock);
  const nodes = createNodes({
    database,
    clock,
    ids,
    log: log.child("nodes"),
    bus,
    attempts: limiter,
    intake: conversation.intake,
    sending: conversation.sending,
    noteEvent: conversation.systemEvents.note,
    routePolicy,
    policy: () => toCommandPolicy(config()),
    pairedDevices: () => devices.idsOf("node"),
    revokeDevice: async (deviceId, caller) => void (await devices.revoke(deviceId, "node", caller)),
    execApprovalsPath: paths.execApprovals,
  });
  const door = createDoor({
    limiter,
    secret: options.secret,
    gateway: () => config().gateway,
    devices,
    command: options.command,
    tailscaleLogin: createTailscaleLogin({
      clock,
      isAccepted: () => isTailscaleAccepted(config().gateway, options.secret().mode),
      whois: createWhois({ clock, log: log.child("gateway/tailscale"), path: () => env.raw("PATH") ?? "" }),
    }),
  });
  return { devices, nodes, door };
}
