import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { createPiles } from "./piles.ts";

test("what was added in whatever pieces comes out whole, also beside others and on pages that were used before", () => {
  const piles = createPiles();
  const bodies = fc.array(fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 6 }), { maxLength: 4 });
  fc.assert(
    fc.property(bodies, (all) => {
      const open = all.map((pieces) => ({ pieces: pieces.map((piece) => Buffer.from(piece)), pile: piles.open() }));
      // in turn, as they come from several connections
      for (let turn = 0; turn < 6; turn += 1)
        for (const { pieces, pile } of open)
          for (const piece of pieces.slice(turn, turn + 1)) assert.ok(pile.add(piece));
      for (const { pieces, pile } of open) {
        assert.ok(pile.whole().equals(Buffer.concat(pieces)));
        pile.close();
      }
    }),
    { numRuns: 300 },
  );
});

test("a whole body is not changed by the next one that uses its pages", () => {
  const piles = createPiles();
  const read = (letter: string) => {
    const pile = piles.open();
    for (let piece = 0; piece < 10; piece += 1) pile.add(Buffer.alloc(10_000, letter));
    const whole = pile.whole();
    pile.close();
    return whole;
  };
  const first = read("a");
  read("b");
  assert.ok(first.equals(Buffer.alloc(100_000, "a")));
});

test("a body that comes byte by byte is given up, one in the packets of a slow line is not", () => {
  const piles = createPiles();
  const count = (bytes: number) => {
    const pile = piles.open();
    const piece = Buffer.alloc(bytes);
    let pieces = 0;
    while (pieces < 100_000 && pile.add(piece)) pieces += 1;
    return pieces;
  };
  assert.ok(count(1) < 20_000);
  assert.equal(count(1_200), 100_000);
});
