// `sessions.list` with ten thousand sessions of fifty messages each (T33): what clients ask for, and what a list costs at least.

import { join } from "node:path";

import { systemClock } from "../src/base/clock.ts";
import { parseSessionKey } from "../src/base/ids.ts";
import { openGatewayDatabase } from "../src/conversation/database.ts";
import { listSessionRows } from "../src/conversation/sessions/list.ts";
import { touchSession } from "../src/conversation/store/sessions.ts";
import { appendMessages } from "../src/conversation/store/transcript.ts";
import type { TranscriptMessage } from "../src/ports/turn.ts";
import { median, repeat } from "./statistics.ts";

const sessions = 10_000;
const messages = 50;
const asked = [
  { name: "sessions.list, 100 of 10,000", params: {} },
  {
    name: "the same with titles and last words",
    params: { includeDerivedTitles: true, includeLastMessage: true, limit: 100 },
  },
  { name: "the same of one agent", params: { agentId: "main" } },
  { name: "the same by a search", params: { search: "s77" } },
  { name: "the last page", params: { offset: sessions - 100 } },
] as const;

export async function measureLists(folder: string, runs: number) {
  const database = await openGatewayDatabase(join(folder, "sessions.sqlite"), { command: (words) => words });
  const message = (text: string): TranscriptMessage => ({
    role: "user",
    content: [{ type: "text", text: `${text}, and something more to say about it`.repeat(4) }],
    timestamp: 1,
  });
  const said = Array.from({ length: messages }, (_, index) => message(`message ${index}`));
  for (let first = 0; first < sessions; first += 500) {
    await database.write((sql) => {
      for (let index = first; index < first + 500; index += 1) {
        const [key, sessionId] = [parseSessionKey(`agent:main:memory:dm:s${index}`), `id-${index}`];
        touchSession(sql, { key, sessionId, agentId: "main", now: index });
        appendMessages(sql, { sessionId }, said);
      }
    });
  }
  const timed = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };
  const viewModel = () => ({ provider: "p", model: "m", contextWindow: 1 });
  const bare = () => database.read((sql) => sql.all("SELECT * FROM sessions ORDER BY updated_at DESC LIMIT 100"));
  const figures: { name: string; value: number; floor: number }[] = [];
  for (const { name, params } of asked) {
    const dependencies = { database, clock: systemClock, viewModel, path: "" };
    const list = () => timed(async () => JSON.stringify(await listSessionRows(params, dependencies)));
    await list();
    const value = median(await repeat(runs, list));
    figures.push({
      name,
      value,
      floor: median(await repeat(runs, () => timed(async () => JSON.stringify(await bare())))),
    });
  }
  await database.close();
  return figures;
}
