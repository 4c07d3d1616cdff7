import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { renderTemplate, type TemplateValues } from "./template.ts";

const values: TemplateValues = {
  payload: { messages: [{ from: "ann", n: 7, tags: ["a", "b"] }], path: "of the payload", "odd key": 1, nothing: null },
  headers: { "x-github-event": "push", authorization: "Bearer secret", "x-openclaw-token": "secret", cookie: "secret" },
  query: { team: "red" },
  path: "github",
};

test("values of payload, headers, query and path stand where their names stood", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["{{messages[0].from}}", "ann"],
    ["{{ payload.messages[0].n }}!", "7!"],
    ["{{messages[0].tags[1]}}", "b"],
    ["{{messages[0].tags}}", '["a","b"]'],
    ["{{messages[1].from}}", ""],
    ["{{messages.length}}{{messages[0].from.length}}{{nothing}}", ""],
    ["{{headers.x-github-event}} {{query.team}} {{path}}", "push red github"],
    ["{{odd key}}", "1"],
    ["no names { } {{}}", "no names { } {{}}"],
  ];
  for (const [template, text] of cases) assert.equal(renderTemplate(template, values), text, template);
});

test("who sent it, and what an object has of its own kind, is not told", () => {
  for (const name of [
    "headers.authorization",
    "headers.cookie",
    "headers.x-openclaw-token",
    "constructor",
    "__proto__",
    "payload.constructor.name",
    "messages.constructor",
    "toString",
  ])
    assert.equal(renderTemplate(`{{${name}}}`, values), "", name);
});

test("any template and any payload make a text, and a payload's braces are not read again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.json(), (template, payload) => {
      renderTemplate(template, { ...values, payload: JSON.parse(payload) });
      renderTemplate(`{{${template}}}`, { ...values, payload: JSON.parse(payload) });
    }),
  );
  assert.equal(renderTemplate("{{a}}", { ...values, payload: { a: "{{query.team}}" } }), "{{query.team}}");
});
