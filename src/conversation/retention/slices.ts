// Long changes of the database in short commits.

import { createPace } from "../../base/pace.ts";
import type { Clock } from "../../base/clock.ts";
import type { Database, Sql } from "../../platform/database.ts";

/** Does one small step; each must leave everything whole. @returns how much it did: 0 when nothing is left. */
export type Step = (sql: Sql) => number;

/** Steps until nothing is left, or `isEnough`, which is asked with the sum so far. @returns the sum. */
export async function inSlices(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  step: Step,
  isEnough: (sum: number) => boolean = () => false,
): Promise<number> {
  const pace = createPace(clock);
  let sum = 0;
  for (;;) {
    const isDone = await database.write((sql) => {
      do {
        const done = step(sql);
        if (done === 0) return true;
        sum += done;
      } while (!pace.isOver() && !isEnough(sum));
      return isEnough(sum);
    });
    if (isDone) return sum;
    await pace.rest();
  }
}
