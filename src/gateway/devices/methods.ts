// device.pair.* and device.token.*: what owners and their tools do with devices.

import type { HandlersOf } from "../../ports/method.ts";
import type { DeviceMethodName } from "../../protocol/contract.ts";
import { hasScope } from "../auth/scopes.ts";
import { renderRequest } from "./admit.ts";
import type { Devices } from "./devices.ts";
import type { Device, DeviceToken } from "./store.ts";

export function createDeviceHandlers(devices: Devices): HandlersOf<DeviceMethodName> {
  return {
    async "device.pair.list"() {
      const { pending, paired } = await devices.list();
      const known = new Map(paired.map(({ device }) => [device.deviceId, device]));
      return {
        pending: pending.map((request) => renderRequest(request, known.get(request.deviceId))),
        paired: paired.map(({ device, tokens }) => renderDevice(device, tokens)),
      };
    },
    async "device.pair.approve"({ params: { requestId }, caller }) {
      const { device, tokens } = await devices.approve(requestId, caller);
      return { requestId, device: renderDevice(device, tokens) };
    },
    async "device.pair.reject"({ params: { requestId } }) {
      const { deviceId } = await devices.reject(requestId);
      return { requestId, deviceId };
    },
    async "device.pair.remove"({ params: { deviceId }, caller }) {
      await devices.remove(deviceId, caller);
      return { deviceId };
    },
    async "device.pair.rename"({ params: { deviceId, displayName } }) {
      await devices.rename(deviceId, displayName);
      return { deviceId, displayName };
    },
    async "device.token.rotate"({ params, caller }) {
      const { deviceId, role, token, scopes, rotatedAtMs } = await devices.rotate(params, caller);
      // who may only manage devices must not be able to become one
      const mayKnow = caller.deviceId === deviceId || hasScope(caller.scopes, "operator.admin");
      return { deviceId, role, ...(mayKnow ? { token } : {}), scopes: [...scopes], rotatedAtMs };
    },
    async "device.token.revoke"({ params: { deviceId, role }, caller }) {
      return { deviceId, role, revokedAtMs: await devices.revoke(deviceId, role, caller) };
    },
  };
}

function renderDevice(device: Device, tokens: readonly DeviceToken[]) {
  const { deviceId, publicKey, details, roles, scopes, createdAtMs, approvedAtMs, lastSeenAtMs } = device;
  return {
    deviceId,
    publicKey,
    ...details,
    ...(roles[0] ? { role: roles[0] } : {}),
    roles: [...roles],
    scopes: [...scopes],
    tokens: tokens.map((token) => ({
      role: token.role,
      scopes: [...token.scopes],
      createdAtMs: token.createdAtMs,
      ...(token.rotatedAtMs === undefined ? {} : { rotatedAtMs: token.rotatedAtMs }),
      ...(token.revokedAtMs === undefined ? {} : { revokedAtMs: token.revokedAtMs }),
      ...(token.lastUsedAtMs === undefined ? {} : { lastUsedAtMs: token.lastUsedAtMs }),
    })),
    createdAtMs,
    approvedAtMs,
    lastSeenAtMs,
  };
}
