// `tools`, `skills`, `plugins`, `approvals`: what the agent may use, and who allows it. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, later, map, secret, texts, whole } from "./key.ts";

export const tools = later(
  {
    profile: choice(["minimal", "coding", "messaging", "full"], "Set of tools that the lists below start from"),
    allow: texts("Only these tools"),
    alsoAllow: texts("These tools besides the profile's; not together with allow"),
    deny: texts("Never these tools"),
    byProvider: anything("The same by model provider"),
    web: anything("Search and fetch"),
    media: anything("Understanding of media"),
    links: anything("Understanding of links"),
    message: anything("Sending to other chats"),
    agentToAgent: anything("Agents talking to agents"),
    elevated: later(
      { enabled: flag("Commands outside of the sandbox"), allowFrom: anything("Who may ask for them, by channel") },
      "Elevated commands",
    ),
    exec: anything("Commands"),
    subagents: anything("Tools of sub-agents"),
    sandbox: anything("Tools inside of the sandbox"),
  },
  "Tool policy",
  { reload: "none" },
);

export const skills = later(
  {
    allowBundled: texts("Only these of the skills that come with the program"),
    load: later(
      {
        extraDirs: texts("More folders of skills"),
        watch: flag("Notice changes"),
        watchDebounceMs: whole("Quiet time before a change counts", { minimum: 0 }),
      },
      "Where skills are found",
    ),
    install: anything("How programs that skills need are installed"),
    entries: map(
      Type.Object({
        enabled: flag("Offer it"),
        apiKey: secret("Its key"),
        env: map(Type.String({ secret: true }), "Its variables"),
        config: anything("Its own settings"),
      }),
      "Skills by name",
    ),
  },
  "Skills",
  { reload: "none" },
);

export const plugins = later(
  {
    enabled: flag("Load plugins"),
    allow: texts("Only these"),
    deny: texts("Never these"),
    load: later({ paths: texts("More folders of plugins") }, "Where plugins are found"),
    slots: anything("Which plugin fills a role"),
    entries: map(
      Type.Object({ enabled: flag("Load it"), config: anything("Its own settings") }),
      "Plugins by id; a plugin's config is checked by the plugin",
    ),
    installs: anything("Where installed plugins came from"),
  },
  "Plugins",
  { reload: "restart" },
);

export const approvals = later(
  {
    exec: later(
      {
        enabled: flag("Ask in chats before commands run"),
        mode: choice(["session", "targets", "both"], "Where it is asked"),
        agentFilter: texts("Only for these agents"),
        sessionFilter: texts("Only for these sessions"),
        targets: anything("Chats"),
      },
      "Commands",
    ),
  },
  "Approval requests",
  { reload: "restart" },
);
