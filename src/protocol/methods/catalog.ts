// What there is to choose from: agents, models, tools, commands. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nonEmpty, text } from "../shapes.ts";

const agentId = Type.Optional(
  Type.String({ minLength: 1, maxLength: 64, description: "Agent; the default one when left out" }),
);
const word = (description: string, maxLength = 256) => Type.String({ minLength: 1, maxLength, description });
const source = Type.Literal("core", { description: "Built in" });

export const catalogMethods = {
  "agents.list": method({
    summary: "The agents of this Gateway",
    params: Type.Object({}),
    result: Type.Object({
      defaultId: nonEmpty("Agent that answers unless a binding says otherwise"),
      mainKey: nonEmpty("Last part of the key of an agent's main session"),
      scope: Type.Union([Type.Literal("per-sender"), Type.Literal("global")], {
        description: "One session a sender, or one for all",
      }),
      agents: Type.Array(
        Type.Object({
          id: nonEmpty("Agent id"),
          name: Type.Optional(nonEmpty("Name for people")),
          identity: Type.Optional(
            Type.Object({
              name: Type.Optional(nonEmpty("Name")),
              theme: Type.Optional(nonEmpty("Manner")),
              emoji: Type.Optional(nonEmpty("Sign")),
              avatar: Type.Optional(nonEmpty("Picture")),
            }),
          ),
          model: Type.Optional(
            Type.Object(
              {
                primary: Type.Optional(nonEmpty("Asked first, as provider/model")),
                fallbacks: Type.Optional(Type.Array(nonEmpty("Asked in turn when it fails"))),
              },
              { description: "Models that can be asked now" },
            ),
          ),
        }),
      ),
    }),
    scope: "operator.read",
  }),
  "models.list": method({
    summary: "The models that the config names",
    params: Type.Object({}),
    result: Type.Object({
      models: Type.Array(
        Type.Object({
          id: nonEmpty("Model"),
          name: nonEmpty("Name for people"),
          provider: nonEmpty("Provider"),
          alias: Type.Optional(nonEmpty("Short name")),
          available: Type.Boolean({ description: "It can be asked now" }),
          unavailableReason: Type.Optional(Type.Literal("missing-auth", { description: "Its provider has no key" })),
          contextWindow: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: "Tokens of input and output together; absent when it is not known",
            }),
          ),
          reasoning: Type.Optional(Type.Boolean({ description: "It can think; absent when it is not known" })),
        }),
      ),
    }),
    scope: "operator.read",
  }),
  "tools.catalog": method({
    summary: "The tools that an agent has",
    params: Type.Object({ agentId }),
    result: Type.Object({
      agentId: nonEmpty("Agent"),
      profiles: Type.Array(Type.Object({ id: nonEmpty("Profile"), label: nonEmpty("Name") }), {
        description: "Named selections of tools; none yet",
      }),
      groups: Type.Array(
        Type.Object({
          id: nonEmpty("Group"),
          label: nonEmpty("Name for people"),
          source,
          tools: Type.Array(
            Type.Object({
              id: nonEmpty("Tool, as the model calls it"),
              label: nonEmpty("Name for people"),
              description: text("What it does"),
              source,
              defaultProfiles: Type.Array(nonEmpty("Profile")),
            }),
          ),
        }),
      ),
    }),
    scope: "operator.read",
  }),
  "commands.list": method({
    summary: "Words that the Gateway itself understands in a chat",
    params: Type.Object({
      agentId,
      scope: Type.Optional(
        Type.String({ maxLength: 32, description: "text: typed in a chat; native: in the menu of a platform; both" }),
      ),
    }),
    result: Type.Object({
      commands: Type.Array(
        Type.Object({
          name: nonEmpty("Without its slash"),
          textAliases: Type.Array(nonEmpty("As it is typed")),
          description: text("What it does"),
          category: Type.Literal("session"),
          source: Type.Literal("native"),
          scope: Type.Literal("text"),
          acceptsArgs: Type.Boolean(),
        }),
      ),
    }),
    scope: "operator.read",
  }),
  "agents.create": method({
    summary: "Adds an agent to the config, with a workspace of its own",
    params: Type.Object({
      name: word("Name for people; its id is made of it"),
      workspace: Type.Optional(word("Folder that it works in; made when missing", 4096)),
      model: Type.Optional(word("Asked first, as provider/model; absent: as all agents")),
      emoji: Type.Optional(word("Sign", 64)),
      avatar: Type.Optional(word("Picture", 4096)),
    }),
    result: Type.Object({
      ok: Type.Literal(true),
      agentId: nonEmpty("Agent id"),
      name: nonEmpty("Name for people"),
      workspace: nonEmpty("Folder that it works in"),
      model: Type.Optional(nonEmpty("Asked first")),
    }),
    scope: "operator.admin",
  }),
  "agents.update": method({
    summary: "Changes an agent in the config",
    params: Type.Object({
      agentId: word("Agent", 64),
      name: Type.Optional(word("Name for people")),
      workspace: Type.Optional(word("Folder that it works in", 4096)),
      model: Type.Optional(Type.Union([word("Asked first, as provider/model"), Type.Null()])),
      emoji: Type.Optional(word("Sign", 64)),
      avatar: Type.Optional(word("Picture", 4096)),
    }),
    result: Type.Object({ ok: Type.Literal(true), agentId: nonEmpty("Agent") }),
    scope: "operator.admin",
  }),
  "agents.delete": method({
    summary: "Takes an agent and the bindings to it out of the config; its sessions and files stay",
    params: Type.Object({
      agentId: word("Agent", 64),
      deleteFiles: Type.Optional(Type.Boolean({ description: "Accepted; files are never removed" })),
    }),
    result: Type.Object({
      ok: Type.Literal(true),
      agentId: nonEmpty("Agent"),
      removedBindings: Type.Integer({ minimum: 0, description: "Bindings that led to it" }),
      removed: Type.Array(Type.Object({ path: nonEmpty("Path"), method: Type.Literal("missing") }), {
        description: "Files that were removed: none",
      }),
    }),
    scope: "operator.admin",
  }),
};
