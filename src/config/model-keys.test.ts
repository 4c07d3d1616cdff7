import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import { readConfigKeys } from "../settings/key-table.ts";
import { checkModelChange, isOpenToModels } from "./model-keys.ts";

const keys = [...readConfigKeys().entries()];
const isForbidden = (error: unknown) => error instanceof Fault && error.code === "forbidden";

test("keys open to models exist, and none of them is a secret, an address, a list of people or a policy (S11)", () => {
  const open = keys.filter(([key]) => isOpenToModels(key.split(".")));
  assert.ok(open.length >= 20, String(open.length));
  for (const [key, { isSecret }] of open) {
    assert.equal(isSecret, false, key);
    assert.doesNotMatch(
      key,
      /token|secret|password|key$|url|path|root|host|port|bind|allow|deny|policy|auth|exec|elevated|sandbox|tool|command|\benv\b|\bto\b/iu,
    );
  }
  for (const section of [
    "gateway",
    "channels",
    "commands",
    "tools",
    "models",
    "env",
    "hooks",
    "plugins",
    "approvals",
    "bindings",
    "logging",
  ])
    assert.ok(!open.some(([key]) => key.split(".")[0] === section), section);
});

test("two hundred changes with one closed key among open ones are all refused (S11)", () => {
  const closed = keys.map(([key]) => key).filter((key) => !isOpenToModels(key.split(".")));
  const open = keys.map(([key]) => key).filter((key) => isOpenToModels(key.split(".")));
  fc.assert(
    fc.property(
      fc.constantFrom(...closed),
      fc.array(fc.constantFrom(...open), { maxLength: 4 }),
      fc.array(fc.string(), { maxLength: 2 }),
      (bad, good, below) => {
        const changes = [...good.map((key) => key.split(".")), [...bad.split("."), ...below]].toSorted();
        // a name below a closed section may spell an open key: that is the open key
        if (isOpenToModels([...bad.split("."), ...below])) return;
        assert.throws(() => checkModelChange(changes, {}), isForbidden);
      },
    ),
    { numRuns: 200 },
  );
});

test("a variable in an open key is refused wherever it stands, and plain words are let through", () => {
  const path = ["messages", "responsePrefix"];
  checkModelChange([path], { messages: { responsePrefix: "hm $5 {x}" } });
  checkModelChange([path], {});
  for (const value of ["${TOKEN}", ["a", "x${TOKEN}"], { deep: "${A}" }])
    assert.throws(() => checkModelChange([path], { messages: { responsePrefix: value } }), isForbidden);
});
