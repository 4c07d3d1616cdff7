// The handshake: `connect` and `hello-ok`. The params are the union of what both generations of clients send; unknown keys are
// tolerated. Build time, but for the types.

import { Type, type Static } from "typebox";

import type { Frozen } from "./frozen.ts";
import { healthSnapshot } from "./methods/health.ts";
import { count, nonEmpty, open, presenceEntry, stateVersion, text, time } from "./shapes.ts";

const word = (description: string, maxLength = 256) => Type.String({ minLength: 1, maxLength, description });
const secret = (description: string) => Type.Optional(Type.String({ maxLength: 4096, description }));

export const connectParams = Type.Object({
  minProtocol: Type.Integer({ minimum: 1, description: "Lowest protocol version the client speaks" }),
  maxProtocol: Type.Integer({ minimum: 1, description: "Highest protocol version the client speaks" }),
  client: Type.Object(
    {
      id: word("Which program: cli, gateway-client, openclaw-control-ui …; any word is accepted"),
      displayName: Type.Optional(word("Name for people")),
      version: word("Program version"),
      platform: word("Operating system"),
      deviceFamily: Type.Optional(word("Kind of device")),
      modelIdentifier: Type.Optional(word("Device model")),
      mode: word("cli, ui, webchat, backend, node, probe, test …; any word is accepted"),
      instanceId: Type.Optional(word("Stable id of the installation")),
    },
    { description: "The program that connects" },
  ),
  caps: Type.Optional(
    Type.Array(Type.String({ maxLength: 256, description: "What the client can do" }), { maxItems: 256 }),
  ),
  commands: Type.Optional(
    Type.Array(Type.String({ maxLength: 256, description: "Commands of a node" }), { maxItems: 1024 }),
  ),
  permissions: Type.Optional(
    Type.Record(Type.String(), Type.Boolean(), { description: "What a node's operating system allows, by name" }),
  ),
  pathEnv: Type.Optional(text("PATH of a node")),
  role: Type.Optional(word("operator (default) or node")),
  scopes: Type.Optional(Type.Array(word("Scope asked for"), { maxItems: 64 })),
  device: Type.Optional(
    Type.Object(
      {
        id: word("Hex SHA-256 of the raw public key"),
        publicKey: word("Ed25519 key, base64url", 1024),
        signature: word("Signature, base64url", 1024),
        signedAt: time("When it was signed"),
        nonce: Type.Optional(Type.String({ maxLength: 256, description: "The challenge's" })),
      },
      { description: "Identity of the device, proven by its signature" },
    ),
  ),
  auth: Type.Optional(
    Type.Object(
      {
        token: secret("Shared token"),
        password: secret("Shared password"),
        deviceToken: secret("Token issued to a device"),
        bootstrapToken: secret("One-use setup code"),
      },
      { description: "Credentials" },
    ),
  ),
  locale: Type.Optional(Type.String({ maxLength: 64, description: "Language of the person" })),
  userAgent: Type.Optional(Type.String({ maxLength: 1024, description: "Browser" })),
});

const policy = Type.Object({
  maxPayload: Type.Integer({ minimum: 1, description: "Largest message accepted, bytes" }),
  maxBufferedBytes: Type.Integer({ minimum: 1, description: "Unread bytes after which a slow client is closed" }),
  tickIntervalMs: Type.Integer({ minimum: 1, description: "Interval of `tick`" }),
});

export const helloOk = Type.Object(
  {
    type: Type.Literal("hello-ok"),
    protocol: Type.Integer({ minimum: 1, description: "Version spoken from here on: the highest that both know" }),
    server: Type.Object(
      {
        version: nonEmpty("Gateway version"),
        connId: nonEmpty("This connection"),
        host: Type.Optional(nonEmpty("Host name")),
      },
      open,
    ),
    features: Type.Object({ methods: Type.Array(nonEmpty("Method")), events: Type.Array(nonEmpty("Event")) }, open),
    snapshot: Type.Object(
      {
        presence: Type.Array(presenceEntry),
        health: Type.Union([healthSnapshot, Type.Object({}, open)], {
          description: "Empty until the first one is made",
        }),
        stateVersion,
        uptimeMs: count("Since the process started"),
        configPath: Type.Optional(nonEmpty("For admins")),
        stateDir: Type.Optional(nonEmpty("For admins")),
        sessionDefaults: Type.Optional(
          Type.Object(
            {
              defaultAgentId: nonEmpty("Agent"),
              mainKey: nonEmpty("Short name of the main session"),
              mainSessionKey: nonEmpty("Its key"),
              scope: Type.Optional(text("per-sender or global")),
            },
            open,
          ),
        ),
        policy: Type.Optional(policy),
      },
      open,
    ),
    auth: Type.Object(
      {
        role: nonEmpty("Granted role"),
        scopes: Type.Array(text("Granted scope")),
        deviceToken: Type.Optional(
          nonEmpty("Token of this device for this role; instead of the shared secret from now on"),
        ),
        issuedAtMs: Type.Optional(time("When the token was made")),
      },
      open,
    ),
    policy,
    canvasHostUrl: Type.Optional(
      nonEmpty("Where this connection may read the canvas, while it lasts: `/__openclaw__/canvas/` is put behind it"),
    ),
    pluginSurfaceUrls: Type.Optional(Type.Object({ canvas: nonEmpty("The same, for protocol 4") }, open)),
  },
  open,
);

export type ConnectParams = Static<typeof connectParams>;
export type HelloOk = Frozen<Static<typeof helloOk>>;
