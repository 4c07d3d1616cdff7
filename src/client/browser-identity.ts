// A device's key pair in a browser: it cannot be read out, not even by the page. Where it is kept (IndexedDB takes keys as they
// are) is the page's business. Only pages over HTTPS or from localhost have these functions.

import { Fault } from "../base/fault.ts";
import { encodeBase64Url, toDeviceId } from "../protocol/device-auth.ts";
import type { DeviceIdentity } from "./device.ts";

type Keys = Awaited<ReturnType<typeof createBrowserKeys>>;

export async function createBrowserKeys() {
  const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  if ("privateKey" in keys) return keys;
  throw new Fault("internal", "this browser makes one key where Ed25519 has two");
}

export async function toBrowserIdentity({ privateKey, publicKey }: Keys): Promise<DeviceIdentity> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return {
    deviceId: toDeviceId(new Uint8Array(await crypto.subtle.digest("SHA-256", raw))),
    publicKey: encodeBase64Url(raw),
    async sign(text) {
      const bytes = new TextEncoder().encode(text);
      return encodeBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, bytes)));
    },
  };
}
