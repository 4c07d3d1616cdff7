// The commands of a user's first steps, for the table in commands.ts.

const remote = [
  ["--mode <mode>", "local: the Gateway runs here; remote: this machine is a client of another", ["local", "remote"]],
  ["--remote-url <ws-url>", "that other Gateway"],
  ["--remote-token <token>", "its token; - reads it from stdin"],
] as const;

const workspace = ["--workspace <folder>", "where the agent works"] as const;

const section = [
  "--section <names...>",
  "workspace, model, channels, gateway, daemon or health; several with commas, or said again",
] as const;

export const setupCommands = [
  {
    name: "setup",
    summary: "write what a Gateway needs to start: config, token, workspace",
    options: [
      workspace,
      ["--wizard", "ask, as onboard does"],
      ["--non-interactive", "ask nothing (as without --wizard)"],
      ...remote,
    ],
    examples: ["setup", "--dev setup", "--profile main setup --workspace ~/agent"],
    load: () => import("./setup/setup.ts"),
  },
  {
    name: "onboard",
    summary: "from nothing to a first answer: token, folder, model, channel, service",
    options: [
      ["--flow <flow>", "quickstart, or advanced (manual): what is asked"],
      ["--non-interactive", "ask nothing: the flags say it all"],
      ["--accept-risk", "I know that an agent acts with what it is given"],
      ["--reset", "begin the config anew; its text until now is kept as .bak"],
      workspace,
      ...remote,
      ["--auth-choice <choice>", "anthropic-api-key, openai-api-key, gemini-api-key, ollama, custom-api-key or skip"],
      ["--anthropic-api-key <key>", "a key; - reads it from stdin"],
      ["--openai-api-key <key>", "likewise"],
      ["--gemini-api-key <key>", "likewise"],
      ["--custom-api-key <key>", "likewise, for a server of your own"],
      ["--custom-base-url <url>", "its OpenAI-compatible API; also that of Ollama"],
      ["--custom-model-id <model>", "its model"],
      ["--custom-provider-id <id>", "its name in the config (default custom)"],
      ["--model <provider/model>", "model that answers (default: the provider's usual one)"],
      ["--gateway-port <port>", "port of everything"],
      ["--gateway-bind <mode>", "loopback, lan, tailnet, auto or custom"],
      ["--gateway-auth <mode>", "token or password"],
      ["--gateway-token <token>", "token of your own; - reads it from stdin"],
      ["--gateway-password <password>", "likewise"],
      ["--tailscale <mode>", "off, serve (the tailnet) or funnel (the internet)", ["off", "serve", "funnel"]],
      ["--tailscale-reset-on-exit", "undo that when the Gateway ends"],
      ["--telegram-token <token>", "bot token from @BotFather; - reads it from stdin"],
      ["--telegram-api-root <url>", "Bot API server, instead of Telegram's own"],
      ["--install-daemon", "make the Gateway a service"],
      ["--no-install-daemon", "do not"],
      ["--skip-daemon", "do not"],
      ["--daemon-runtime <runtime>", "node, which is all that there is", ["node"]],
      ["--skip-channels", "no channel now"],
      ["--skip-skills", "no skills now (there are none yet)"],
      ["--node-manager <program>", "accepted for older scripts: nothing is installed"],
      ["--skip-ui", "no page in the browser now (there is none yet)"],
      ["--skip-health", "write only: no Gateway is started or asked"],
      ["--no-check", "take keys and tokens without trying them"],
    ],
    examples: [
      "onboard",
      "--profile rescue onboard",
      "onboard --non-interactive --accept-risk --auth-choice ollama --custom-model-id llama3.2 --json",
      "onboard --non-interactive --accept-risk --openai-api-key - --install-daemon",
    ],
    load: () => import("./setup/onboard.ts"),
  },
  {
    name: "configure",
    summary: "ask about some of it again: folder, model, channels, Gateway, service",
    options: [section],
    examples: ["configure", "configure --section model --section channels"],
    load: () => import("./setup/configure.ts"),
  },
  {
    name: "config wizard",
    summary: "the same as configure; what config alone does at a terminal",
    isDefault: true,
    options: [section],
    examples: ["config", "config wizard --section gateway"],
    load: async () => ({ run: (await import("./setup/configure.ts")).runBare }),
  },
  {
    name: "dashboard",
    summary: "where the Gateway's page is, with the token; opens it where there is a screen",
    options: [["--no-open", "only print it"]],
    examples: ["dashboard", "dashboard --no-open", "dashboard --json"],
    load: () => import("./dashboard/dashboard.ts"),
  },
] as const;
