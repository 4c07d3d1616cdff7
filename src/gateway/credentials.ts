// Who connects, by what they show: the shared secret, a device's own token, or a Tailscale identity. One limiter stands before
// every comparison (S8); that something was shown counts for nothing, only that it is right (S4).

import { Fault } from "../base/fault.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import type { Limiter } from "./auth/limiter.ts";
import type { Devices } from "./devices/devices.ts";
import type { Role } from "./devices/store.ts";

export interface Guard {
  readonly mode: "token" | "password";
  isSecret(presented: string): boolean;
}

export interface CredentialContext {
  readonly guard: Guard;
  readonly limiter: Limiter;
  /** Where the connection comes from, as limits count it. */
  readonly source: string;
  readonly devices: Pick<Devices, "isToken" | "hasToken">;
  /** The tailnet login of the peer, proven; undefined when there is none or it is not accepted. */
  readonly tailscaleLogin: () => Promise<string | undefined>;
}

export type AuthMethod = "token" | "password" | "device-token" | "tailscale";

/** `device` has proven its key; its tokens count for nobody else. @returns the refusal, or how the caller was recognised. */
export async function checkCredentials(
  params: ConnectParams,
  device: { readonly id: string; readonly role: Role } | undefined,
  context: CredentialContext,
): Promise<Fault | AuthMethod> {
  const { guard, limiter, source, devices } = context;
  // clients put a secret in one field or another: each is compared with everything that it could be
  const { token, password, deviceToken } = params.auth ?? {};
  const presented = [...new Set([token, password, deviceToken])].filter((text) => text !== undefined).filter(Boolean);
  if (presented.length === 0) {
    if ((await context.tailscaleLogin()) !== undefined) return "tailscale";
    return refuse(params, { mode: guard.mode, what: "missing" });
  }

  const waitMs = limiter.waitMs(source);
  if (waitMs > 0) {
    return new Fault("unauthorized", "unauthorized: too many failed attempts, try again later", {
      retryAfterMs: waitMs,
      details: { code: "AUTH_RATE_LIMITED", authReason: "rate_limited", recommendedNextStep: "wait_then_retry" },
    });
  }
  // no short cut: every field is compared
  const matches = presented.map((text) => guard.isSecret(text));
  if (matches.includes(true)) return guard.mode;
  // counted before anything is waited for: guesses that come all at once count like those that come in a row
  presented.forEach(() => limiter.fail(source));
  if (!device) return refuse(params, { mode: guard.mode, what: "mismatch" });
  const tokens = await Promise.all(presented.map((text) => devices.isToken(device.id, device.role, text)));
  if (!tokens.includes(true)) return refuseDevice(params, device, context);
  presented.forEach(() => limiter.forgive(source));
  return "device-token";
}

async function refuseDevice(
  params: ConnectParams,
  { id, role }: { readonly id: string; readonly role: Role },
  { guard, devices }: CredentialContext,
): Promise<Fault> {
  const { token, password, deviceToken } = params.auth ?? {};
  // only a device's own token was shown, in one field or two: naming the shared secret would send its owner the wrong way
  if (deviceToken && (!token || token === deviceToken) && !password) return refuseDeviceToken();
  const isRetryable = !deviceToken && (await devices.hasToken(id, role));
  return refuse(params, { mode: guard.mode, what: "mismatch", isRetryable });
}

function refuseDeviceToken(): Fault {
  return new Fault("unauthorized", "unauthorized: device token mismatch (rotate/reissue device token)", {
    next: "connect once with the Gateway's token or password; the device gets a new token then",
    details: {
      code: "AUTH_DEVICE_TOKEN_MISMATCH",
      authReason: "device_token_mismatch",
      canRetryWithDeviceToken: false,
      recommendedNextStep: "update_auth_credentials",
    },
  });
}

interface Refusing {
  readonly mode: Guard["mode"];
  readonly what: "missing" | "mismatch";
  readonly isRetryable?: boolean;
}

function refuse(params: ConnectParams, { mode, what, isRetryable = false }: Refusing): Fault {
  const step = what === "missing" ? "update_auth_configuration" : "update_auth_credentials";
  return new Fault("unauthorized", `unauthorized: gateway ${mode} ${what} (${hintFor(params, mode)})`, {
    details: {
      code: `AUTH_${mode.toUpperCase()}_${what.toUpperCase()}`,
      authReason: `${mode}_${what}`,
      canRetryWithDeviceToken: isRetryable,
      recommendedNextStep: isRetryable ? "retry_with_device_token" : step,
    },
  });
}

function hintFor({ client }: ConnectParams, mode: Guard["mode"]): string {
  if (client.mode === "cli" || client.id === "cli") return `set gateway.remote.${mode} to match gateway.auth.${mode}`;
  if (client.mode === "webchat" || client.id === "openclaw-control-ui") {
    return mode === "token"
      ? "open a tokenized dashboard URL or paste token in Control UI settings"
      : "enter the password in Control UI settings";
  }
  return `provide gateway auth ${mode}`;
}
