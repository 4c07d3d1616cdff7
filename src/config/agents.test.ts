import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import { addAgent, changeAgent, removeAgent, toAgentId } from "./agents.ts";
import { checkSource, createPlace } from "./parse.ts";

const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
const ids = (source: object) =>
  ((source as { agents?: { list?: { id: string }[] } }).agents?.list ?? []).map(({ id }) => id);

test("an id is made of any name that has a letter or digit, and is one that the config takes", () => {
  assert.equal(toAgentId("Home Office"), "home-office");
  assert.equal(toAgentId("Café №1"), "cafe-no1");
  assert.throws(() => toAgentId("!!!"), isFault("invalid_params"));
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (name) => {
      try {
        assert.match(toAgentId(name), /^[a-z0-9][a-z0-9-]{0,63}$/u);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }),
  );
});

test("the first agent that is written does not push out the one that was there unwritten", () => {
  const source = addAgent({}, { id: "work", workspace: "/w" });
  assert.deepEqual(ids(source), ["main", "work"]);
  assert.throws(() => addAgent(source, { id: "work", workspace: "/w" }), isFault("invalid_params"));
  assert.deepEqual(ids(changeAgent({}, "main", { name: "Max" })), ["main"]);
});

test("what is given changes, what is not stays, and null takes the model away", () => {
  const source = addAgent({}, { id: "work", workspace: "/w", model: "a/b", emoji: "o" });
  const changed = changeAgent(source, "work", { name: "Work", model: null }) as { agents: { list: object[] } };
  assert.deepEqual(changed.agents.list[1], { id: "work", workspace: "/w", name: "Work", identity: { emoji: "o" } });
  assert.throws(() => changeAgent(source, "other", {}), isFault("not_found"));
});

test("an agent goes with the bindings to it; the default one stays", () => {
  const source = {
    ...addAgent({}, { id: "work", workspace: "/w" }),
    bindings: [
      { agentId: "Work", match: {} },
      { agentId: "main", match: {} },
    ],
  };
  const removed = removeAgent(source, "work");
  assert.deepEqual([ids(removed.source), removed.removedBindings], [["main"], 1]);
  assert.throws(() => removeAgent(source, "main"), isFault("invalid_params"));
  assert.throws(() => removeAgent({}, "main"), isFault("invalid_params"));
  assert.throws(() => removeAgent(source, "none"), isFault("not_found"));
});

test("whatever is done in whatever order, there is one default agent and a config without problems", () => {
  const step = fc.record({
    kind: fc.constantFrom("add", "change", "remove"),
    id: fc.constantFrom("main", "a", "b", "c"),
    model: fc.constantFrom(undefined, null, "offline/demo"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let source: object = {};
      for (const { kind, id, model } of steps) {
        try {
          const change = model === undefined ? {} : { model };
          if (kind === "add") source = addAgent({ ...source }, { id, workspace: "/w", ...change });
          else if (kind === "change") source = changeAgent({ ...source }, id, change);
          else source = removeAgent({ ...source }, id).source;
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
        }
      }
      const list = (source as { agents?: { list?: { default?: boolean }[] } }).agents?.list ?? [];
      assert.ok(list.length === 0 || list.filter((agent) => agent.default === true).length === 1);
      const parsed = checkSource(
        structuredClone(source) as Record<string, unknown>,
        createPlace("{}"),
        () => undefined,
      );
      assert.ok("config" in parsed, JSON.stringify(parsed));
    }),
  );
});
