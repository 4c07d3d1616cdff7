// Judges the SQL of a migration: may the version before go on working with a file that has it? Only what adds is let through; what
// this does not understand is not.

/** Of one migration: names are in lower case. */
interface Added {
  readonly tables: Set<string>;
  /** `table.column`, of those that hold NULL in the rows of older programs. */
  readonly nullable: Set<string>;
  readonly columns: Set<string>;
  /** Names of indexes that are made. */
  readonly indexes: Set<string>;
}

/** @returns what an older program may stumble over, one sentence each; empty: it only adds. */
export function judgeMigration(sql: string): string[] {
  const statements = splitStatements(sql);
  const added: Added = { tables: new Set(), nullable: new Set(), columns: new Set(), indexes: new Set() };
  for (const statement of statements) {
    const [, index] = /^create (?:unique )?index (?:if not exists )?(\w+)/u.exec(statement) ?? [];
    if (index !== undefined) added.indexes.add(index);
  }
  return statements.flatMap((statement) => judge(statement, added) ?? []);
}

/** Without comments and texts, in lower case, blanks made one. */
function splitStatements(sql: string): string[] {
  return sql
    .replaceAll(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//gu, (found) => (found.startsWith("'") ? "''" : " "))
    .split(";")
    .map((statement) => statement.replaceAll(/\s+/gu, " ").trim().toLowerCase())
    .filter((statement) => statement !== "");
}

function judge(statement: string, added: Added): string | undefined {
  const rules = [judgeTable, judgeIndex, judgeColumn, judgeRows, judgeDrop];
  for (const rule of rules) {
    const verdict = rule(statement, added);
    if (verdict !== undefined) return verdict === "" ? undefined : `${verdict}: ${statement}`;
  }
  return `it does more than add: ${statement}`;
}

/** `undefined`: another kind of statement; an empty text: it only adds. */
type Verdict = string | undefined;

function judgeTable(statement: string, { tables }: Added): Verdict {
  const [, name] = /^create table (?:if not exists )?(\w+) /u.exec(`${statement} `) ?? [];
  if (name === undefined) return undefined;
  tables.add(name);
  return "";
}

function judgeIndex(statement: string, { tables, nullable }: Added): Verdict {
  const [, unique, table = "", columns = ""] =
    /^create (unique )?index (?:if not exists )?\w+ on (\w+) ?\(([^()]*)\)/u.exec(statement) ?? [];
  if (table === "") return undefined;
  if (unique === undefined || tables.has(table)) return "";
  const isFree = columns.split(",").some((column) => nullable.has(`${table}.${column.trim().split(" ")[0] ?? ""}`));
  return isFree ? "" : "rows that an older program writes may be refused";
}

function judgeColumn(statement: string, { tables, nullable, columns }: Added): Verdict {
  const [, table = "", column = "", rest = ""] = /^alter table (\w+) add (?:column )?(\w+)(.*)$/u.exec(statement) ?? [];
  if (table === "") return undefined;
  const hasDefault = / default (?!null)/u.test(rest);
  if (/ not null/u.test(rest) && !hasDefault && !tables.has(table)) return "older programs do not fill this column";
  if (/ references /u.test(rest)) return "rows that an older program removes may be refused";
  columns.add(`${table}.${column}`);
  if (!hasDefault) nullable.add(`${table}.${column}`);
  return "";
}

/** Rows of what an older program does not know are free. */
function judgeRows(statement: string, { tables, columns }: Added): Verdict {
  const [, into] = /^insert (?:or \w+ )?into (\w+)/u.exec(statement) ?? [];
  if (into !== undefined) return tables.has(into) ? "" : "an older program finds rows that it did not write";
  const [, table, set = ""] = /^update (\w+) set (.+?)(?: where .*)?$/u.exec(statement) ?? [];
  if (table === undefined) return undefined;
  const names = splitTop(set).map((one) => one.trim().split(/[ =]/u)[0] ?? "");
  return tables.has(table) || names.every((name) => columns.has(`${table}.${name}`))
    ? ""
    : "an older program finds its rows changed";
}

/** At commas that are in no bracket. */
function splitTop(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const sign of text) {
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (sign === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts;
}

function judgeDrop(statement: string, { indexes }: Added): Verdict {
  const [, index] = /^drop index (?:if exists )?(\w+)$/u.exec(statement) ?? [];
  if (index === undefined) return undefined;
  return indexes.has(index) ? "" : "an older program may need this index";
}
