// A device with a key of its own, which signs connects as clients of each generation do. Not our client, so it can be a witness.

import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

export interface TestDevice {
  readonly id: string;
  readonly publicKey: string;
  /** The params with `device` in them. Without a nonce the oldest form is signed. */
  sign<Params extends SignableParams>(
    params: Params,
    challenge: { nonce?: string; ts: number },
    version?: 1 | 2 | 3,
  ): Params & { device: object };
}

interface SignableParams {
  readonly client: {
    readonly id: string;
    readonly mode: string;
    readonly platform: string;
    readonly deviceFamily?: string;
  };
  readonly role?: string | undefined;
  readonly scopes?: string[] | undefined;
  readonly auth?:
    | {
        readonly token?: string | undefined;
        readonly deviceToken?: string | undefined;
        readonly bootstrapToken?: string | undefined;
      }
    | undefined;
}

export function createTestDevice(): TestDevice {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const id = createHash("sha256").update(raw).digest("hex");
  return {
    id,
    publicKey: raw.toString("base64url"),
    sign(params, { nonce, ts }, version = nonce === undefined ? 1 : 3) {
      const fields = signedFields(params);
      const start = [`v${version}`, id, ...fields.about, String(ts), fields.token];
      const end = [...(version > 1 ? [nonce ?? ""] : []), ...(version > 2 ? fields.machine : [])];
      return {
        ...params,
        device: {
          id,
          publicKey: raw.toString("base64url"),
          signature: signText([...start, ...end].join("|"), privateKey),
          signedAt: ts,
          ...(nonce === undefined ? {} : { nonce }),
        },
      };
    },
  };
}

function signedFields({ client, role = "operator", scopes = [], auth }: SignableParams) {
  return {
    about: [client.id, client.mode, role, scopes.join(",")],
    token: auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "",
    machine: [client.platform.toLowerCase(), (client.deviceFamily ?? "").toLowerCase()],
  };
}

function signText(text: string, key: KeyObject): string {
  return sign(null, Buffer.from(text), key).toString("base64url");
}
