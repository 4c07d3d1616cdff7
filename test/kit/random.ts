// Numbers that follow from a seed.

/** A whole number from 0 up to, and without, the limit. */
export type Random = (limit: number) => number;

/** Small and repeatable; not for secrets. */
export function createRandom(start: number): Random {
  let state = start >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
