// Requests for approval: how long they wait, and what approving one does.

import type { Sql } from "../../platform/database.ts";
import { deleteRequest, findDevice, saveDevice, type Device, type DeviceRequest } from "./store.ts";

/** Requests fade after this time, and only so many wait. */
export const requestTtlMs = 5 * 60_000;
export const maxRequests = 100;
/** The device afterwards; the request is gone. */
export function approveRequest(sql: Sql, request: DeviceRequest, now: number): Device {
  const old = findDevice(sql, request.deviceId);
  const device: Device = {
    deviceId: request.deviceId,
    publicKey: request.publicKey,
    details: { ...old?.details, ...request.details },
    roles: [...new Set([...(old?.roles ?? []), request.role])],
    scopes: [...new Set([...(old?.scopes ?? []), ...request.scopes])],
    createdAtMs: old?.createdAtMs ?? now,
    approvedAtMs: now,
    lastSeenAtMs: old?.lastSeenAtMs ?? now,
  };
  saveDevice(sql, device);
  deleteRequest(sql, request.requestId);
  return device;
}
