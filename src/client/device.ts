// The device that connects: who it is, and the tokens that Gateways gave it. Types; Node's are in device-identity and
// device-tokens.

/** Signs with a key that stays where it is. */
export interface DeviceIdentity {
  /** Hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** Raw Ed25519 key, base64url. */
  readonly publicKey: string;
  /** Signature of the text's UTF-8, base64url. */
  sign(text: string): string | Promise<string>;
}

/** A token belongs to one Gateway, device and role, and goes to no other. */
export interface DeviceTokenKey {
  /** Scheme, host and port. */
  readonly gateway: string;
  readonly deviceId: string;
  readonly role: string;
}

export interface DeviceToken {
  readonly token: string;
  readonly scopes: readonly string[];
}

export interface DeviceTokens {
  load(key: DeviceTokenKey): Promise<DeviceToken | undefined>;
  save(key: DeviceTokenKey, token: DeviceToken): Promise<void>;
  /** Only when it is still this one: another process may have got a new one. */
  remove(key: DeviceTokenKey, token: string): Promise<void>;
}
