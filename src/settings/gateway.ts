// `gateway`, `logging`, `canvasHost`, `discovery`, `web`, `commands`. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, group, map, numeric, optionalGroup, secret, text, texts, whole } from "./key.ts";

const bodyLimits = {
  allowUrl: flag("Fetch files that a request names by URL"),
  allowedMimes: texts("MIME types accepted"),
  maxBytes: whole("Largest file, bytes", { minimum: 1 }),
  maxRedirects: whole("Redirects followed", { minimum: 0 }),
  timeoutMs: whole("Time limit of a fetch", { minimum: 1 }),
};

export const gateway = group(
  {
    port: whole("Port of everything; `--port` and the environment come first", {
      minimum: 1,
      maximum: 65_535,
      reload: "listener",
    }),
    mode: choice(["local", "remote"], "`local` runs the Gateway here; `remote` makes this machine a client only"),
    bind: choice(["auto", "lan", "loopback", "custom", "tailnet"], "Addresses to listen on", {
      default: "loopback",
      reload: "listener",
    }),
    customBindHost: text("IPv4 address for `bind: custom`", { reload: "listener" }),
    controlUi: group(
      {
        enabled: flag("Serve the Control UI", { default: true }),
        basePath: text("Path below which it is served"),
        root: text(
          "Folder that holds a built Control UI, instead of the one that comes with the program; a relative one lies in the state folder",
        ),
        allowedOrigins: Type.Array(Type.String(), {
          default: [],
          description: "Browser origins accepted besides the Gateway's own, such as https://panel.example",
          reload: "none",
        }),
        allowInsecureAuth: flag("Let the Control UI in over plain HTTP, where a browser can have no device identity", {
          reload: "none",
        }),
        dangerouslyDisableDeviceAuth: flag("Accepted for older files; has no effect"),
      },
      "Control UI",
      { default: {} },
    ),
    auth: group(
      {
        mode: choice(["token", "password"], "Which secret clients present; password when one is set", {
          reload: "hot",
        }),
        token: secret("Shared token", { reload: "hot" }),
        password: secret("Shared password", { reload: "hot" }),
        allowTailscale: flag("Accept Tailscale Serve identities", { reload: "none" }),
      },
      "Who may connect",
      { default: {} },
    ),
    trustedProxies: texts("Addresses of proxies whose forwarded headers count", { reload: "none" }),
    tailscale: optionalGroup({
      mode: choice(["off", "serve", "funnel"], "Expose through Tailscale"),
      resetOnExit: flag("Undo the exposure at exit"),
    }),
    remote: optionalGroup(
      {
        url: text("WebSocket URL of the remote Gateway"),
        transport: choice(["ssh", "direct"], "How the app connects"),
        token: secret("Token of the remote Gateway"),
        password: secret("Password of the remote Gateway"),
        tlsFingerprint: text("SHA-256 fingerprint to pin"),
        sshTarget: text("user@host of the tunnel"),
        sshIdentity: text("Key file of the tunnel"),
      },
      "The Gateway that this machine is a client of, with `mode: remote`",
      { reload: "none" },
    ),
    reload: group(
      {
        mode: choice(["off", "restart", "hot", "hybrid"], "What a saved config does", {
          default: "hybrid",
          reload: "none",
        }),
        debounceMs: whole("Quiet time before a change counts", { minimum: 0, default: 300, reload: "none" }),
      },
      "Config reload",
      { default: {}, reload: "none" },
    ),
    tls: Type.Optional(
      Type.Object(
        {
          enabled: flag("Serve HTTPS and WSS"),
          autoGenerate: flag("Make a certificate when none is there"),
          certPath: text("Certificate file"),
          keyPath: text("Key file"),
          caPath: text("CA file"),
        },
        { reload: "listener" },
      ),
    ),
    http: optionalGroup({
      endpoints: optionalGroup({
        chatCompletions: optionalGroup(
          {
            enabled: flag("Serve /v1/chat/completions, /v1/embeddings and /v1/models", { reload: "none" }),
            maxBodyBytes: whole("Largest body", { minimum: 1, reload: "none" }),
            images: optionalGroup(bodyLimits, "Pictures in messages", { reload: "none" }),
          },
          "OpenAI's Chat Completions",
          { reload: "none" },
        ),
        responses: optionalGroup(
          {
            enabled: flag("Serve /v1/responses", { reload: "none" }),
            maxBodyBytes: whole("Largest body", { minimum: 1, reload: "none" }),
            files: optionalGroup(
              {
                ...bodyLimits,
                maxChars: whole("Characters taken from a file", { minimum: 1 }),
                pdf: optionalGroup({
                  maxPages: whole("Pages that are read", { minimum: 1 }),
                  maxPixels: whole("Accepted for older files; pages are not drawn", { minimum: 1 }),
                  minTextChars: whole("Accepted for older files; pages are not drawn", { minimum: 0 }),
                }),
              },
              "Files in the input",
              { reload: "none" },
            ),
            images: optionalGroup(bodyLimits, "Pictures in the input", { reload: "none" }),
          },
          "OpenResponses",
          { reload: "none" },
        ),
      }),
    }),
    tools: optionalGroup(
      {
        allow: texts("Tools that /tools/invoke may call although they are closed by default"),
        deny: texts("Tools that it may not call"),
      },
      "Tools over HTTP",
      { reload: "none" },
    ),
    nodes: optionalGroup({
      browser: optionalGroup({
        mode: choice(["auto", "manual", "off"], "Use a node's browser"),
        node: text("Which node"),
      }),
      allowCommands: texts("Node commands allowed besides the defaults", { reload: "none" }),
      denyCommands: texts("Node commands refused", { reload: "none" }),
    }),
  },
  "The Gateway itself",
  { default: {}, reload: "restart" },
);

const levels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
const mebibyte = 1024 * 1024;

export const logging = group(
  {
    level: choice([...levels], "Least level written to the log file", { default: "info" }),
    levels: map(
      Type.Enum([...levels]),
      "Least level by part of the Gateway, such as channels/telegram or gateway/ws, instead of `level`; a stricter one counts on the console too",
    ),
    file: text(
      "Log file, instead of one for each day; a relative one lies in the log folder, and it is rolled by size alone",
      { reload: "restart" },
    ),
    maxFileBytes: whole("Size at which a log file is put aside and a new one begins", {
      minimum: 64 * 1024,
      default: 50 * mebibyte,
    }),
    maxTotalBytes: whole("Size of all log files together; the oldest go first", {
      minimum: 128 * 1024,
      default: 200 * mebibyte,
    }),
    keepDays: whole("Age at which a log file goes", { minimum: 1, default: 14 }),
    consoleLevel: choice([...levels], "Least level shown on the console", { default: "info" }),
    consoleStyle: choice(
      ["pretty", "compact", "json"],
      "Form of console lines: time of day, or date and time, or an object; pretty at a terminal and compact elsewhere when unset",
    ),
    redactSensitive: choice(
      ["off", "tools"],
      "`off` leaves `redactPatterns` out; known secrets and what looks like one are always masked",
      {
        default: "tools",
      },
    ),
    redactPatterns: texts("Patterns masked besides the built-in ones"),
  },
  "Log",
  { default: {}, reload: "none" },
);

export const commands = group(
  {
    native: anything("Platform menus of commands: true, false or auto"),
    nativeSkills: anything("The same for skills"),
    text: flag("Slash commands in texts", { default: true }),
    bash: flag("The `!` command"),
    bashForegroundMs: whole("Time before it goes to the background", { minimum: 0, maximum: 30_000 }),
    config: flag("The /config command"),
    debug: flag("The /debug command"),
    restart: flag("Let SIGUSR1 and the agent restart the Gateway", { default: false }),
    useAccessGroups: flag("Commands obey the channel's access lists", { default: true }),
  },
  "Chat commands",
  { default: {}, reload: "none" },
);

export const canvasHost = optionalGroup(
  {
    enabled: flag("Serve the canvas"),
    root: text("Folder served; a relative one lies in the state folder"),
    port: whole("Port; base + 4 when unset", { minimum: 1, maximum: 65_535 }),
    liveReload: flag("Reload pages when a file changes"),
  },
  "Canvas",
  { reload: "restart" },
);

export const discovery = optionalGroup(
  {
    mdns: optionalGroup({ mode: choice(["off", "minimal", "full"], "What is announced on the local network") }),
    wideArea: optionalGroup({ enabled: flag("Unicast DNS-SD"), domain: text("Its domain") }),
  },
  "Discovery",
  { reload: "restart" },
);

export const web = optionalGroup(
  {
    enabled: flag("WhatsApp connection"),
    heartbeatSeconds: whole("Interval of its health line", { minimum: 1 }),
    reconnect: optionalGroup({
      initialMs: whole("First delay", { minimum: 0 }),
      maxMs: whole("Longest delay", { minimum: 0 }),
      factor: numeric("Growth", { minimum: 0 }),
      jitter: numeric("Random share", { minimum: 0, maximum: 1 }),
      maxAttempts: whole("0 means for ever", { minimum: 0 }),
    }),
  },
  "WhatsApp connection",
  { reload: "channel" },
);

export const env = Type.Optional(
  Type.Object(
    {
      vars: map(Type.String({ secret: true }), "Variables used where the process has none of the name"),
      shellEnv: optionalGroup({
        enabled: flag("Read the login shell's variables"),
        timeoutMs: whole("Time limit", { minimum: 0 }),
      }),
    },
    {
      additionalProperties: { type: "string", secret: true, description: "The same, written directly in `env`" },
      description: "Environment",
      reload: "restart",
    },
  ),
);
