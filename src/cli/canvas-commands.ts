// The command about the canvas, for the table in commands.ts.

export const canvasCommands = [
  {
    name: "canvas open",
    summary: "open what the agent shows in a conversation, until Ctrl-C",
    options: [
      ["--session <key>", "the conversation (default main)"],
      ["--files", "open the pages of the canvas folder instead"],
      ["--no-open", "only print the address"],
      ["--timeout <ms>", "time limit of the connection"],
    ],
    examples: ["canvas open", "canvas open --session agent:main:notes --no-open", "canvas open --files"],
    load: () => import("./canvas/open.ts"),
  },
] as const;
