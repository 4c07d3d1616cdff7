import assert from "node:assert/strict";
import { test } from "node:test";

import { A2uiMessageProcessor } from "@a2ui/web_core";
import fc from "fast-check";

import { Fault } from "../../base/fault.ts";
import { checkSurfaces } from "./check.ts";
import { maxMessages, maxPushBytes, parseMessages, type A2uiMessage } from "./messages.ts";
import { foldMessages, renderSurfaces, surfaceOf } from "./surfaces.ts";

const lines = (...messages: readonly unknown[]) => messages.map((message) => JSON.stringify(message)).join("\n");
const text = (id: string, literalString = "x") => ({ id, component: { Text: { text: { literalString } } } });
const begin = { beginRendering: { surfaceId: "s", root: "root" } };
const update = (...components: readonly object[]) => ({ surfaceUpdate: { surfaceId: "s", components } });

/** What the agent is told; empty when all is well. */
function refusalOf(jsonl: string): string {
  try {
    const messages = parseMessages(jsonl);
    checkSurfaces(foldMessages(new Map(), messages), new Set(messages.map(surfaceOf)));
    return "";
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.field, "jsonl");
    assert.ok(error.next);
    return error.message;
  }
}

test("messages come one a line, or as one array; empty lines are nothing", () => {
  const messages = [update(text("root")), begin];
  assert.deepEqual(parseMessages(`\n${lines(...messages)}\r\n\n`), messages);
  assert.deepEqual(parseMessages(JSON.stringify(messages, undefined, 2)), messages);
  assert.equal(refusalOf(lines(...messages)), "");
});

test("what is of v0.9 is refused by that name", () => {
  for (const message of [
    { version: "v0.9", createSurface: { surfaceId: "s", catalogId: "c" } },
    { createSurface: { surfaceId: "s" } },
    { updateComponents: { surfaceId: "s", components: [] } },
    { version: "v1.0", surfaceUpdate: {} },
  ])
    assert.match(refusalOf(lines(update(text("root")), message)), /message 2 is of A2UI v0\.9 or later.*draws v0\.8/u);
});

test("what is wrong is told with the message's number, or the component's id", () => {
  const many = Array.from({ length: maxMessages + 1 }, () => begin);
  const row = (...explicitList: readonly string[]) => ({
    id: "root",
    component: { Row: { children: { explicitList } } },
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /empty/u],
    ["[1", /array and is none/u],
    [`${lines(begin)}\n{"a":`, /message 2 is not JSON/u],
    ["7", /message 1 is not an object/u],
    [lines({ ...begin, ...update(text("a")) }), /message 1 must have exactly one of/u],
    [lines({ surprise: {} }), /exactly one of/u],
    [lines({ beginRendering: { root: "a" } }), /beginRendering\.surfaceId must be a text/u],
    [lines({ deleteSurface: { surfaceId: "x".repeat(129) } }), /deleteSurface\.surfaceId/u],
    [lines(update()), /components must be a list/u],
    [lines(update({ id: "a", component: {} })), /components\[0\]\.component must have one key/u],
    [lines({ dataModelUpdate: { surfaceId: "s", contents: {} } }), /contents must be a list/u],
    [lines(...many), /more than 200 messages/u],
    [lines(update(text("a", "x".repeat(maxPushBytes)))), /larger than/u],
    [lines(update({ id: "a", component: { Checkbox: {} } })), /"a" is of no kind that there is: Checkbox/u],
    [lines(update({ id: "a", component: { Button: { child: "b" } } }, text("b"))), /component "a".*action/u],
    [lines(update({ id: "a", component: { Text: { text: "plain" } } })), /component "a"\.Text\.text/u],
    [lines(update(row("gone")), begin), /references non-existent component ID 'gone'/u],
    [lines(update(text("a")), begin), /names the root "root", which is no component/u],
    [lines(update(row("a", "a"), text("a")), begin), /"a" stands in two places/u],
    [lines(update(row("root")), begin), /"root" stands in two places, or in itself/u],
    [lines({ dataModelUpdate: { surfaceId: "s", contents: [{ key: "a" }] } }), /exactly one value/u],
  ];
  for (const [jsonl, message] of cases) assert.match(refusalOf(jsonl), message);
});

test("a session keeps a limited amount, and says how to make room", () => {
  const surfaces = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ beginRendering: { surfaceId: `s${index}`, root: "r" } }));
  assert.throws(() => foldMessages(new Map(), surfaces(17)), { code: "too_large", next: /deleteSurface/u });
  const components = Array.from({ length: 401 }, (_, index) => text(`c${index}`));
  assert.throws(() => foldMessages(new Map(), [{ surfaceUpdate: { surfaceId: "s", components } }]), {
    code: "too_large",
  });
});

test("any text is read or refused, and nothing else happens", (context) => {
  for (const level of ["error", "warn"] as const) context.mock.method(console, level, () => undefined);
  const ids = fc.constantFrom("root", "a", "b", "c", "__proto__", "");
  const component = fc.oneof(
    fc.record({ Text: fc.record({ text: fc.record({ literalString: fc.string().map((said) => `text ${said}`) }) }) }),
    fc.record({ Column: fc.record({ children: fc.record({ explicitList: fc.array(ids, { maxLength: 3 }) }) }) }),
    fc.record({ Card: fc.record({ child: ids }) }),
    fc.record({
      Tabs: fc.record({ tabItems: fc.array(fc.record({ title: fc.constant({ literalString: "t" }), child: ids })) }),
    }),
    fc.record({
      List: fc.record({
        children: fc.record({
          template: fc.record({ componentId: ids, dataBinding: fc.constantFrom("/a", "a", "/") }),
        }),
      }),
    }),
    fc.dictionary(fc.constantFrom("Button", "TextField", "Unknown", "Row"), fc.jsonValue(), { maxKeys: 2 }),
  );
  const message = fc.oneof(
    fc.record({
      surfaceUpdate: fc.record({
        surfaceId: ids,
        components: fc.array(fc.record({ id: ids, component }), { maxLength: 6 }),
      }),
    }),
    fc.record({ beginRendering: fc.record({ surfaceId: ids, root: ids }) }),
    fc.record({
      dataModelUpdate: fc.record(
        {
          surfaceId: ids,
          path: fc.string(),
          contents: fc.array(fc.record({ key: fc.string(), valueString: fc.string() })),
        },
        { requiredKeys: ["surfaceId", "contents"] },
      ),
    }),
    fc.record({ deleteSurface: fc.record({ surfaceId: ids }) }),
    fc.jsonValue(),
  );
  let drawn = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(message, { maxLength: 6 }).map((all) => lines(...all)),
        fc.string(),
      ),
      (jsonl) => {
        let messages: readonly A2uiMessage[];
        try {
          messages = parseMessages(jsonl);
          checkSurfaces(foldMessages(new Map(), messages), new Set(messages.map(surfaceOf)));
        } catch (error) {
          assert.ok(error instanceof Fault, String(error));
          return;
        }
        // what is let through, the renderer takes
        const shown = renderSurfaces(foldMessages(new Map(), messages));
        new A2uiMessageProcessor().processMessages(shown as never);
        drawn += 1;
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(drawn > 100, `${drawn}`);
});
