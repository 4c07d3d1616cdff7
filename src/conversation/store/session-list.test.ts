import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { parseSessionKey } from "../../base/ids.ts";
import type { Database, Sql } from "../../platform/database.ts";
import { openGatewayDatabase } from "../database.ts";
import { listPage, type SessionFilter } from "./session-list.ts";
import { saveSettings, touchSession } from "./sessions.ts";

let folder: string;
let database: Database;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "session-list-"));
  database = await openGatewayDatabase(join(folder, "state.sqlite"), { command: (words) => words });
  await database.write((sql) => {
    for (let index = 0; index < 60; index += 1) {
      const agentId = index % 3 === 0 ? "ops" : "main";
      const key = parseSessionKey(index === 0 ? "global" : `agent:${agentId}:s${index}`);
      touchSession(sql, { key, sessionId: `id-${index}`, agentId, now: 1_000 + Math.floor(index / 2) });
      const spawnedBy = index >= 50 ? "agent:main:s1" : undefined;
      saveSettings(sql, key, { label: index % 10 === 5 ? `Label ${index}` : undefined, spawnedBy, settings: {} });
    }
  });
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const base: SessionFilter = { isGlobalShown: false, isUnknownShown: false };
const read = (filter: Partial<SessionFilter>, page = { limit: 1_000, offset: 0 }) =>
  database.read((sql) => listPage(sql, { ...base, ...filter }, page));

test("pages together are the whole list, newest first, nothing twice", async () => {
  const whole = await read({});
  assert.equal(whole.total, 59);
  const times = whole.sessions.map(({ updatedAt }) => updatedAt);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
  const pages = [];
  for (let offset = 0; offset < 59; offset += 7) pages.push(...(await read({}, { limit: 7, offset })).sessions);
  assert.deepEqual(pages, whole.sessions);
});

test("filters", async () => {
  const keys = async (filter: Partial<SessionFilter>) => (await read(filter)).sessions.map(({ key }) => String(key));
  assert.equal((await keys({ agentId: "ops" })).length, 19);
  assert.ok((await keys({ isGlobalShown: true })).includes("global"));
  assert.deepEqual(await keys({ label: "Label 5" }), ["agent:main:s5"]);
  assert.equal((await keys({ spawnedBy: "agent:main:s1" })).length, 10);
  assert.equal((await keys({ since: 1_029 })).length, 2);
  assert.deepEqual(await keys({ search: "LABEL 25" }), ["agent:main:s25"]);
  assert.deepEqual(await keys({ search: "id-7" }), ["agent:main:s7"]);
  assert.deepEqual(await keys({ search: "%" }), []);
  assert.deepEqual(await keys({ search: "_" }), []);
});

test("rows come from an index in their order: no list sorts or reads the whole table", async () => {
  const plans = async (filter: Partial<SessionFilter>) => {
    const lines: string[] = [];
    await database.read((sql) => {
      const explaining: Sql = {
        ...sql,
        get: (text, ...values) => (lines.push(...explain(sql, text, values)), undefined),
        all: (text, ...values) => (lines.push(...explain(sql, text, values)), []),
      };
      listPage(explaining, { ...base, ...filter }, { limit: 10, offset: 0 });
    });
    return lines.join("; ");
  };
  const explain = (sql: Sql, text: string, values: Parameters<Sql["all"]>[1][]) =>
    sql.all(`EXPLAIN QUERY PLAN ${text}`, ...values).map((row) => String(row["detail"]));
  for (const filter of [
    {},
    { agentId: "main" },
    { since: 1 },
    { agentId: "main", since: 1 },
    { label: "x" },
    { spawnedBy: "x" },
  ]) {
    const plan = await plans(filter);
    assert.doesNotMatch(plan, /TEMP B-TREE|SCAN sessions(?! USING)/u, JSON.stringify(filter));
    assert.match(plan, /USING (?:COVERING )?INDEX sessions_/u, JSON.stringify(filter));
  }
});
