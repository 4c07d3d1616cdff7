// Whether the renderer will draw a surface: its own schema is asked, and what the schema cannot see is looked at here. Loads that schema,
// so it is imported at the first push.

import { A2uiMessageSchema } from "@a2ui/web_core";

import { Fault } from "../../base/fault.ts";
import { referencesOf, type Component } from "./references.ts";
import { renderSurface, type Surfaces, type SurfaceState } from "./surfaces.ts";

/** The catalogue of v0.8, as the renderer spells it. */
const catalogue: ReadonlySet<string> = new Set(
  "Text Image Icon Video AudioPlayer Row Column List Card Tabs Divider Modal Button CheckBox TextField DateTimeInput MultipleChoice Slider".split(
    " ",
  ),
);
const maxProblems = 3;

/** @throws Fault `invalid_params` that names the surface, the component and what is wrong with it. */
export function checkSurfaces(surfaces: Surfaces, ids: ReadonlySet<string>): void {
  for (const id of ids) {
    const state = surfaces.get(id);
    if (!state) continue;
    const problems = [...findForeignKinds(state), ...findSchemaProblems(id, state), ...findTreeProblems(state)];
    if (problems.length === 0) continue;
    const told = problems.slice(0, maxProblems).join("; ");
    throw new Fault("invalid_params", `surface ${JSON.stringify(id)}: ${told}`, {
      field: "jsonl",
      next: "correct it and push again: nothing of this push was shown",
    });
  }
}

function findForeignKinds({ components }: SurfaceState): readonly string[] {
  return components.flatMap(({ id, component }) =>
    Object.keys(component)
      .filter((kind) => !catalogue.has(kind))
      .map((kind) => `component ${quote(id)} is of no kind that there is: ${kind} (${[...catalogue].join(", ")})`),
  );
}

function findSchemaProblems(id: string, state: SurfaceState): readonly string[] {
  return renderSurface(id, state).flatMap((message) => {
    const { error } = A2uiMessageSchema.safeParse(message);
    return (error?.issues ?? []).map(({ path, message: told }) => {
      const [, list, index] = path;
      const component = list === "components" && typeof index === "number" ? state.components[index] : undefined;
      const place = component ? [`component ${quote(component.id)}`, ...path.slice(4)] : path.slice(0, 1);
      const where = component ? place : path;
      return [where.join("."), told].filter(Boolean).join(": ");
    });
  });
}

/** The renderer draws each component in one place, and what is drawn must be there. */
function findTreeProblems({ components, begin }: SurfaceState): readonly string[] {
  if (!begin) return [];
  const byId = new Map(components.map((component) => [component.id, component]));
  const root = byId.get(begin.root);
  if (!root) return [`beginRendering names the root ${quote(begin.root)}, which is no component of it`];
  const problems: string[] = [];
  const seen = new Set<string>();
  const waiting: Component[] = [root];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    if (seen.has(one.id)) problems.push(`component ${quote(one.id)} stands in two places, or in itself`);
    else waiting.push(...referencesOf(one).flatMap((id) => byId.get(id) ?? []));
    seen.add(one.id);
  }
  return problems;
}

const quote = (text: string) => JSON.stringify(text);
