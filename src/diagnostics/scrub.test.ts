import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import fc from "fast-check";

import { knownSecrets } from "../platform/redact.ts";
import { createScrub, type Scrub, type ScrubOptions } from "./scrub.ts";
import { readWords, type Words } from "./words.ts";

let words: Words;
let scrub: Scrub;

const create = (options: Partial<ScrubOptions> = {}): Scrub =>
  createScrub({ words, secrets: [], names: [], messages: [], places: [], ...options });

describe("what may leave", () => {
  before(async () => {
    words = await readWords();
    scrub = create();
  });

  test("sentences of the program stay readable (R45)", () => {
    for (const text of [
      "listening on the port; the log cannot be written",
      "telegram: Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      "the config file has errors, the config before stays in use",
      "cannot read the database: ENOSPC, SQLITE_FULL",
      "restart: SIGUSR1",
      "started in 61 ms: config 7, lock 9, port 6, rooms 40",
      "2026-11-21T16:46:50.123Z version 24.21.0 and 2026.4.22",
      "agents.defaults.model is anthropic/claude-opus-4-5",
      "127.0.0.1 and localhost",
      "the config's history doesn't work with v24",
    ]) {
      const shown = scrub.text(text).replaceAll(/[<>]/gu, "");
      assert.equal(shown, text);
    }
  });

  test("no id, telephone number or code of six digits and more leaves, however it is grouped (R45)", () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{5,15}$/u);
    const separator = fc.constantFrom("", " ", "-", ".", "/", " - ", ")", "(", ",");
    const around = fc.constantFrom(
      "chat ",
      "from +",
      "id=",
      "(",
      "-100",
      "x",
      "agent:main:telegram:dm:",
      "#",
      "№",
      "id_",
      "@",
    );
    fc.assert(
      fc.property(
        digits,
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }),
        separator,
        around,
        (id, cuts, by, lead) => {
          const parts: string[] = [];
          let rest = id;
          for (const cut of cuts) {
            if (rest.length <= cut) break;
            parts.push(rest.slice(0, cut));
            rest = rest.slice(cut);
          }
          const text = `${lead}${[...parts, rest].join(by)} sent a message`;
          const shown = scrub.text(text);
          assert.ok(!shown.replaceAll(/\D/gu, "").includes(id), `${text} -> ${shown}`);
          for (const value of [
            { chatId: id },
            { senderId: Number(id) },
            { list: [Number(id)] },
            { [id]: true },
            { seen: { [lead + id]: 1 } },
          ]) {
            const told = JSON.stringify(scrub.value(value));
            // a time of these years says nothing of anybody
            if (/^1[6-9]\d{11}$|^2[01]\d{11}$/u.test(id)) continue;
            assert.ok(!told.replaceAll(/[^\d]/gu, "").includes(id), `${JSON.stringify(value)} -> ${told}`);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("no word leaves that the program does not know, in any script (R45)", () => {
    const foreign = fc
      .stringMatching(/^[A-Z][a-z]{7,12}$/u)
      .filter((word) => !words.has(word) && !words.has(word.toLowerCase()));
    const scripts = fc.constantFrom(
      "Żółć",
      "Δημήτρης",
      "Анастасия",
      "李小龍",
      "محمد",
      "さくら",
      "🦞🦞",
      "①②③④⑤⑥",
      "٠١٢٣٤٥٦٧",
    );
    fc.assert(
      fc.property(fc.oneof(foreign, scripts), fc.constantFrom(" ", "_", ".", "/", "'s ", ":", "@", "-"), (name, by) => {
        const shown = scrub.text(`refused ${name}${by}${name} with an error`);
        assert.ok(!shown.includes(name), shown);
        assert.ok(!JSON.stringify(scrub.value({ [name]: name, title: [name] })).includes(name));
      }),
      { numRuns: 1_000 },
    );
  });

  test("addresses, hosts and paths tell no owner (R45)", () => {
    const planted = [
      "https://petra.smith.example/photos?who=petra",
      "wss://user:word@nas.smith.lan:8443/x",
      "petra.smith+bot@mail.example.org",
      "@petra_smith",
      "/home/mark/notes/state",
      "/Users/grace/Library",
      String.raw`C:\Users\rose\AppData`,
      "192.168.178.44",
      "fe80::1ff:fe23:4567:890a",
      "02:42:ac:11:00:02",
      "smith-macbook.local",
      "550e8400-e29b-41d4-a716-446655440000",
      "AKCp8nzrT1kQm4XvLd0s",
    ];
    for (const text of planted) {
      const shown = scrub.text(`cannot open ${text} now`);
      assert.match(shown, /^cannot open .*<.*>.* now$|^cannot open .*… ?now$/u, shown);
      for (const part of ["petra", "smith", "mark", "grace", "rose", "168", "fe23", "42:ac", "550e", "AKCp", "nas"])
        assert.ok(!shown.replaceAll(/<[a-z]+:[a-z]+>/gu, "").includes(part), `${text} -> ${shown}`);
    }
  });

  test("the same thing has the same alias in a bundle, and another in the next (R45)", () => {
    const [first, again] = [scrub.text("chat 123456789"), scrub.text("+12 345-6789 chat")];
    const alias = /<number:\w+>/u;
    assert.equal(alias.exec(first)?.[0], alias.exec(again)?.[0]);
    assert.notEqual(alias.exec(create().text("chat 123456789"))?.[0], alias.exec(first)?.[0]);
  });

  test("known secrets, names and messages go although their words are ours (R45)", () => {
    const known = create({
      secrets: [knownSecrets(["open sesame"]) ?? /x/u],
      names: ["Mark Rose", "Family Group", "4711", "ERIK"],
      messages: ["please move the file to the other folder", "open the gate now"],
    });
    assert.doesNotMatch(known.text("it said open sesame"), /sesame/u);
    assert.doesNotMatch(known.text("Mark and mark wrote to the Family Group 4711"), /mark|family|group|4711/iu);
    assert.doesNotMatch(known.text("Ann, Lee and EMMA said O'Brien and Erik's"), /ann|lee|emma|brien|erik/iu);
    assert.match(known.text("error: he said move the file to the other place"), /^<text of a message/u);
    assert.match(known.text("gate: OPEN the   gate now!"), /^<text of a message/u);
    assert.equal(known.text("the gateway is open"), "the gateway is open");
  });

  test("what is under the name of a secret or of a text is not shown (R45)", () => {
    const shown = JSON.stringify(
      scrub.value({
        botToken: "main",
        PASSWORD: 1234,
        tokens: ["the", "main"],
        text: "the main file",
        chat: "12345",
        totalTokens: 1_234_567,
        input: "main",
        rss: 77_443_072,
        startedAt: 1_795_280_161_571,
        amount: 7_654_321,
      }),
    );
    assert.deepEqual(JSON.parse(shown.replace(/<number:\w+>/gu, "<n>").replace(/<number:\w+>/gu, "<n>")), {
      botToken: "***",
      PASSWORD: "***",
      tokens: "***",
      text: "<text, 13 characters>",
      chat: "<n>",
      totalTokens: 1_234_567,
      input: "<text, 4 characters>",
      rss: 77_443_072,
      startedAt: 1_795_280_161_571,
      amount: "<n>",
    });
  });

  test("places have a name, and what is below them only in words of ours (R45)", () => {
    const known = create({
      places: [
        ["/home/petra/.open-claw", "state"],
        ["/home/petra", "home"],
      ],
      names: ["petra"],
    });
    assert.equal(
      known.text("cannot open /home/petra/.open-claw/gateway.sqlite: EACCES"),
      "cannot open <state/gateway.sqlite>: EACCES",
    );
    assert.match(known.text("in /home/petra/Steuer-2025/x"), /^in <home\/part:\w+\/.*>$/u);
    assert.doesNotMatch(known.text("/home/petra2/file"), /petra/u);
  });

  test("it takes any text, forged marks too, within a second (R45)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        assert.equal(typeof scrub.text(text), "string");
      }),
    );
    assert.doesNotMatch(scrub.text("<petra smith 123456789>"), /petra|smith|123456789/u);
    for (const hard of [
      "a".repeat(20_000),
      "1 ".repeat(10_000),
      "a.".repeat(10_000),
      "/".repeat(20_000),
      "A-".repeat(10_000),
      "%@".repeat(9_000),
    ]) {
      const startedAt = performance.now();
      scrub.text(hard);
      assert.ok(performance.now() - startedAt < 1_000, hard.slice(0, 10));
    }
  });
});
