// The whole config file. Build time, but for the type.

import { Type, type Static } from "typebox";

import { agents, bindings, messages, models, session } from "./agents.ts";
import { cron, hooks } from "./automation.ts";
import { browser } from "./browser.ts";
import { channels } from "./channels.ts";
import { media, nodeHost, talk, ui } from "./clients.ts";
import { approvals, plugins, skills, tools } from "./extensions.ts";
import { canvasHost, commands, discovery, env, gateway, logging, web } from "./gateway.ts";
import { anything, text } from "./key.ts";
import { auth, broadcast, diagnostics, update, wizard } from "./operations.ts";

export const configSchema = Type.Object(
  {
    $schema: text("Schema for editors", { reload: "none" }),
    $include: anything(
      "Other files of the folder whose contents belong here: a name or a list of names; also inside of sections",
    ),
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
    auth,
    tools,
    cron,
    hooks,
    browser,
    skills,
    plugins,
    approvals,
    broadcast,
    talk,
    ui,
    media,
    nodeHost,
    diagnostics,
    update,
    wizard,
  },
  { additionalProperties: false },
);

/** The config with all defaults filled in. */
export type Config = Static<typeof configSchema>;
