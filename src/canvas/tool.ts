// The agent's `canvas` tool: pages on a node's screen, and surfaces of A2UI on pages and nodes. What it does is loaded at its first call.

import type { JsonObject } from "../base/json.ts";
import type { Tool } from "../ports/tool.ts";
import type { CanvasToolDependencies, CanvasToolParams } from "./tool-actions.ts";

const number = (description: string): JsonObject => ({ type: "number", description });

const parameters: JsonObject = {
  type: "object",
  properties: {
    action: {
      type: "string",
      enum: ["present", "hide", "navigate", "eval", "snapshot", "a2ui_push", "a2ui_reset"],
      description: "What to do.",
    },
    node: { type: "string", description: "Name or id of the node; may be left out when only one can do it." },
    target: { type: "string", description: "present: address to show; the canvas when left out." },
    url: {
      type: "string",
      description: "navigate, present: an http or https address, or a path of the canvas (/x.html).",
    },
    x: number("present: place of the window."),
    y: number("present: place of the window."),
    width: number("present: size of the window."),
    height: number("present: size of the window."),
    javaScript: { type: "string", description: "eval: runs in the page that is shown; its value comes back." },
    outputFormat: {
      type: "string",
      enum: ["png", "jpg", "jpeg"],
      description: "snapshot: kind of picture (default png).",
    },
    maxWidth: number("snapshot: widest picture, pixels."),
    quality: number("snapshot: of a jpg, 0 to 1."),
    jsonl: {
      type: "string",
      description:
        "a2ui_push: messages of A2UI v0.8, one JSON object a line: surfaceUpdate (components), dataModelUpdate, beginRendering (root; it makes the surface visible), deleteSurface. No createSurface.",
    },
  },
  required: ["action"],
  additionalProperties: false,
};

export function createCanvasTool(dependencies: CanvasToolDependencies): Tool {
  return {
    name: "canvas",
    description:
      "Shows things on a screen. a2ui_push draws forms and views of A2UI v0.8 on the pages of this conversation that are open in a browser, and on a node; it is kept for pages that open later, and what the user presses comes back as a message. The other actions show a page on the screen of a connected node.",
    parameters,
    effect: "write",
    async run(params, context) {
      const { runCanvasAction } = await import("./tool-actions.ts");
      // checked against the schema above
      return JSON.stringify(await runCanvasAction(params as unknown as CanvasToolParams, context, dependencies));
    },
  };
}
