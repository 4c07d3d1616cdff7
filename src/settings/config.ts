// The whole config file. Build time, but for the type.

import { Type, type Static } from "typebox";

import { agents, bindings, messages, models, session } from "./agents.ts";
import { channels } from "./channels.ts";
import { canvasHost, commands, discovery, env, gateway, logging, web } from "./gateway.ts";
import { anything, text } from "./key.ts";

export const configSchema = Type.Object(
  {
    $schema: text("Schema for editors"),
    $include: anything("Other files"),
    meta: Type.Optional(Type.Any({ description: "Stamped by programs that write the file", reload: "none" })),
    gateway,
    agents,
    channels,
    session,
    messages,
    models,
    bindings,
    commands,
    logging,
    env,
    canvasHost,
    discovery,
    web,
    auth: anything("Stored credentials and their order"),
    tools: anything("Tool policy"),
    cron: anything("Scheduled tasks"),
    hooks: anything("Webhooks"),
    browser: anything("Browser control"),
    skills: anything("Skills"),
    plugins: anything("Plugins"),
    approvals: anything("Approval requests"),
    broadcast: anything("Several agents in one chat"),
    talk: anything("Talk mode"),
    ui: anything("Look of clients"),
    media: anything("Media store"),
    nodeHost: anything("Node host"),
    diagnostics: anything("Diagnostics"),
    update: anything("Updates"),
    wizard: anything("Stamped by the setup"),
  },
  { additionalProperties: false },
);

/** The config with all defaults filled in. */
export type Config = Static<typeof configSchema>;
