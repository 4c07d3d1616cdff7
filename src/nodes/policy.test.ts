import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decideCommand, decidePlatform, usableCommands } from "./policy.ts";

const none = { allow: [], deny: [] };
const known = ["system.run", "system.which", "camera.snap", "sms.send", "browser.proxy", "own.thing", "canvas.eval"];
const command = fc.constantFrom(...known);
const commands = fc.array(command, { maxLength: 6 });
const identity = fc.record({
  platform: fc.constantFrom("ios", "Android 15", "darwin", "macOS 26", "linux", "win32", "", "beos"),
  deviceFamily: fc.constantFrom("", "iPhone", "Linux", "toaster"),
});

test("platforms are known by the words that real clients use", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["ios", "", "ios"],
    ["iPadOS 18.2", "", "ios"],
    ["Android 15", "", "android"],
    ["darwin", "", "macos"],
    ["macOS 26.0", "Mac", "macos"],
    ["win32", "", "windows"],
    ["linux", "Linux", "linux"],
    ["", "iPhone", "ios"],
    ["something", "else", "unknown"],
  ];
  for (const [platform, deviceFamily, expected] of cases)
    assert.equal(decidePlatform({ platform, deviceFamily }), expected);
});

test("a platform's defaults: a phone sends SMS and runs nothing, a computer runs and has no camera", () => {
  const declared = { commands: known };
  assert.equal(decideCommand("sms.send", { platform: "android", ...declared }, none), undefined);
  assert.equal(decideCommand("sms.send", { platform: "ios", ...declared }, none), "command not allowlisted");
  assert.equal(decideCommand("system.run", { platform: "ios", ...declared }, none), "command not allowlisted");
  assert.equal(decideCommand("system.run", { platform: "linux", ...declared }, none), undefined);
  assert.equal(decideCommand("camera.snap", { platform: "linux", ...declared }, none), "command not allowlisted");
  assert.equal(decideCommand("camera.snap", { platform: "darwin", ...declared }, none), undefined);
});

test("each refusal says why", () => {
  const linux = { platform: "linux", commands: ["system.which"] };
  assert.equal(decideCommand(" ", linux, none), "command required");
  assert.equal(decideCommand("system.run", linux, none), "command not declared by node");
  assert.equal(decideCommand("system.run", { ...linux, commands: [] }, none), "node did not declare commands");
});

test("a denial wins over everything else", () => {
  fc.assert(
    fc.property(command, identity, commands, commands, (word, who, declared, allow) => {
      const policy = { allow: [...allow, word], deny: [` ${word} `] };
      assert.equal(decideCommand(word, { ...who, commands: declared }, policy), "command not allowlisted");
    }),
  );
});

test("what the node did not declare is refused, whatever the config allows", () => {
  fc.assert(
    fc.property(command, identity, commands, commands, (word, who, declared, deny) => {
      const node = { ...who, commands: declared.filter((other) => other !== word) };
      assert.notEqual(decideCommand(word, node, { allow: [word], deny }), undefined);
    }),
  );
});

test("another entry in deny never allows more; one in allow adds that command alone", () => {
  fc.assert(
    fc.property(identity, commands, commands, commands, command, (who, declared, allow, deny, word) => {
      const node = { ...who, commands: declared };
      const before = usableCommands(node, { allow, deny });
      const denied = usableCommands(node, { allow, deny: [...deny, word] });
      assert.deepEqual(
        denied,
        before.filter((other) => other !== word),
      );
      const allowed = usableCommands(node, { allow: [...allow, word], deny });
      assert.deepEqual(
        allowed.filter((other) => other !== word),
        before.filter((other) => other !== word),
      );
    }),
  );
});

test("the list of usable commands and the decision about one agree", () => {
  fc.assert(
    fc.property(identity, commands, commands, commands, command, (who, declared, allow, deny, word) => {
      const node = { ...who, commands: declared };
      const isUsable = usableCommands(node, { allow, deny }).includes(word);
      assert.equal(decideCommand(word, node, { allow, deny }) === undefined, isUsable);
    }),
  );
});
