// A statement that takes its values in order on every supported Node. `?1` may stand in a text several times; Node 22 gives values in
// order only to what has no number, and wants the others by name.

import type { DatabaseSync, SQLInputValue, StatementResultingChanges } from "node:sqlite";

type Values = readonly SQLInputValue[];
/** SQLite's five storage classes; node:sqlite types them as unknown. */
type Row = Record<string, string | number | bigint | null | Uint8Array>;

export interface Statement {
  run(values: Values): StatementResultingChanges;
  get(values: Values): Row | undefined;
  all(values: Values): Row[];
}

/** @throws what SQLite says. */
export function prepare(db: DatabaseSync, text: string): Statement {
  const statement = db.prepare(text);
  if (!/\?\d/u.test(text))
    return {
      run: (values) => statement.run(...values),
      get: (values) => statement.get(...values) as Row | undefined,
      all: (values) => statement.all(...values) as Row[],
    };
  const named = (values: Values) => Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value]));
  return {
    run: (values) => statement.run(named(values)),
    get: (values) => statement.get(named(values)) as Row | undefined,
    all: (values) => statement.all(named(values)) as Row[],
  };
}
