import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { A2uiMessageProcessor } from "@a2ui/web_core";
import fc from "fast-check";

import type { A2uiMessage } from "./messages.ts";
import { foldMessages, renderChange, renderSurfaces } from "./surfaces.ts";

const surfaceId = fc.constantFrom("s", "t");
const id = fc.constantFrom("a", "b", "c");
const word = fc.constantFrom("x", "y", "0", "1", ".");
const entry = fc.oneof(
  fc.record({ key: word, valueString: fc.constantFrom("plain", '["p","q"]', '{"x":{"y":1}}') }),
  fc.record({ key: word, valueMap: fc.array(fc.record({ key: word, valueNumber: fc.nat(9) }), { maxLength: 2 }) }),
);
const path = fc
  .array(fc.constantFrom("x", "y", "0", "1"), { maxLength: 3 })
  .chain((parts) => fc.constantFrom(`/${parts.join("/")}`, parts.join("."), `/${parts.join("/")}/`));
const components = fc.uniqueArray(
  fc.record({ id, text: fc.string() }).map((one) => ({
    id: one.id,
    // no component's id: the page sees to that
    component: { Text: { text: { literalString: `text ${one.text}` } } },
  })),
  { minLength: 1, selector: (component) => component.id },
);
const message: fc.Arbitrary<A2uiMessage> = fc.oneof(
  fc.record({ surfaceUpdate: fc.record({ surfaceId, components }) }),
  fc.record({
    dataModelUpdate: fc.record(
      { surfaceId, path, contents: fc.array(entry, { maxLength: 3 }) },
      { requiredKeys: ["surfaceId", "contents"] },
    ),
  }),
  fc.record({ beginRendering: fc.record({ surfaceId, root: id }) }),
  fc.record({ deleteSurface: fc.record({ surfaceId }) }),
);
const push = fc.array(message, { maxLength: 8 });

/** What the renderer would show after all of these. */
function drawn(...pushes: readonly (readonly A2uiMessage[])[]): unknown {
  const processor = new A2uiMessageProcessor();
  for (const messages of pushes) processor.processMessages(structuredClone(messages) as never);
  return [...processor.getSurfaces()]
    .map(([name, surface]) => ({
      name,
      root: surface.rootComponentId,
      components: toPlain(surface.components),
      data: toPlain(surface.dataModel),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function toPlain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)] as const).toSorted());
  return Array.isArray(value) ? value.map(toPlain) : value;
}

/** The renderer tells the console what it leaves out. */
function silence(context: TestContext): void {
  for (const level of ["error", "warn"] as const) context.mock.method(console, level, () => undefined);
}

test("what is kept draws the same as all that was pushed, in fewer messages", (context) => {
  silence(context);
  fc.assert(
    fc.property(push, push, (first, second) => {
      const all = [...first, ...second];
      const kept = renderSurfaces(foldMessages(new Map(), all));
      assert.deepEqual(drawn(kept), drawn(all));
      assert.ok(kept.length <= all.length);
    }),
    { numRuns: 2_000 },
  );
});

test("a page that shows what was before shows the same after the change as one that is loaded anew", (context) => {
  silence(context);
  fc.assert(
    fc.property(push, push, (first, second) => {
      const before = foldMessages(new Map(), first);
      const after = foldMessages(before, second);
      assert.deepEqual(drawn(renderSurfaces(before), renderChange(second, after)), drawn(renderSurfaces(after)));
    }),
    { numRuns: 2_000 },
  );
});
