// A database as text that can be read in a diff, and back. The order is that of the file.

import { DatabaseSync } from "node:sqlite";

export interface SchemaEntry {
  readonly name: string;
  readonly sql: string;
}

export function readSchema(db: DatabaseSync): SchemaEntry[] {
  return db
    .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    .all()
    .map((row) => ({ name: String(row["name"]), sql: String(row["sql"]) }));
}

/** Of a table: a line a row, each value as SQL writes it. `columns`: those alone. */
export function dumpRows(db: DatabaseSync, table: string, columns = listColumns(db, table)): string[] {
  const values = columns.map((column) => `quote("${column}")`).join(" || ', ' || ");
  return db
    .prepare(`SELECT ${values} AS line FROM "${table}"`)
    .all()
    .map((row) => String(row["line"]));
}

export function listColumns(db: DatabaseSync, table: string): string[] {
  return db
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map((row) => String(row["name"]));
}

export function listTables(db: DatabaseSync): string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    .all()
    .map((row) => String(row["name"]));
}

/** @returns SQL that makes the same database. */
export function dumpDatabase(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const schema = readSchema(db).map(({ sql }) => `${sql};`);
    const rows = listTables(db).flatMap((table) => {
      const columns = listColumns(db, table).join(", ");
      return dumpRows(db, table).map((line) => `INSERT INTO ${table} (${columns}) VALUES (${line});`);
    });
    return `${[...schema, ...rows].join("\n")}\n`;
  } finally {
    db.close();
  }
}

/** @returns the file that it was made in. */
export function loadDump(text: string, path: string): string {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; BEGIN; ${text} COMMIT;`);
  db.close();
  return path;
}
