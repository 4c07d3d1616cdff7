// The timeline as a picture of plain characters: how late the event loop was, what memory was held, when lives began and ended.

import type { Life, TimelineLine } from "./timeline.ts";

const columns = 72;
const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/** Upper ends in ms; a bar of its own for what is above the last. */
const lagSteps = [20, 50, 100, 250, 500, 1_000, 5_000];

export interface Span {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** Lines of a fixed width, with their legend. */
export function renderChart(lines: readonly TimelineLine[], lives: readonly Life[], span: Span): string {
  const at = (time: number) =>
    Math.min(columns - 1, Math.max(0, Math.floor(((time - span.from) / (span.to - span.from)) * columns)));
  const minutes = lines.flatMap((line) => (line.kind === "minute" ? [line] : []));
  const lag = fold(minutes.map((minute) => [at(minute.at), minute.lag.max]));
  const memory = fold(minutes.map((minute) => [at(minute.at), minute.rss]));
  const most = Math.max(1, ...memory.values());
  const busy = fold(minutes.map((minute) => [at(minute.at), minute.busy]));
  return [
    `          ${renderHours(span)}`,
    `loop late ${draw(lag, (ms) => bars[lagSteps.filter((step) => ms > step).length])}`,
    `loop busy ${draw(busy, (share) => bars[Math.min(7, Math.floor(share * 8))])}`,
    `memory    ${draw(memory, (bytes) => bars[Math.min(7, Math.floor((bytes / most) * 7.99))])}`,
    `lives     ${renderLives(lives, at)}`,
    `config    ${draw(fold(lines.flatMap((line) => (line.kind === "config" ? [[at(line.at), 1]] : []))), () => "c")}`,
    `channels  ${draw(fold(lines.flatMap((line) => (isTrouble(line) ? [[at(line.at), 1]] : []))), () => "!")}`,
    "",
    `each column: ${renderSpan((span.to - span.from) / columns)}; a blank: no Gateway told anything`,
    `loop late: worst of the column, ▁ to ${lagSteps[0]} ms, then ${lagSteps.slice(1).join(", ")} ms, █ more`,
    `memory: █ is ${Math.round(most / 1024 / 1024)} MB. lives: S start, r restart, . stopped, X ended without a word, F failed`,
    "config: c a change was taken up. channels: ! trouble began",
  ].join("\n");
}

const isTrouble = (line: TimelineLine) => line.kind === "channel" && line.event === "trouble";

/** The largest of each column. */
function fold(points: readonly (readonly number[])[]): ReadonlyMap<number, number> {
  const result = new Map<number, number>();
  for (const [column = 0, value = 0] of points) result.set(column, Math.max(result.get(column) ?? 0, value));
  return result;
}

const draw = (values: ReadonlyMap<number, number>, sign: (value: number) => string | undefined): string =>
  Array.from({ length: columns }, (_, column) => {
    const value = values.get(column);
    return value === undefined ? " " : (sign(value) ?? " ");
  })
    .join("")
    .trimEnd();

/** What is worse hides what is better. */
function renderLives(lives: readonly Life[], at: (time: number) => number): string {
  const signs = [..." .rSFX"];
  const row = Array.from({ length: columns }, () => 0);
  const put = (column: number, sign: string) => {
    row[column] = Math.max(row[column] ?? 0, signs.indexOf(sign));
  };
  for (const life of lives) {
    put(at(life.startedAt), life.isRestart ? "r" : "S");
    if (life.end === "silent") put(at(life.lastSeenAt), "X");
    else if (life.end === "failed" || life.end === "error") put(at(life.lastSeenAt), "F");
    else if (life.end === "stopped") put(at(life.lastSeenAt), ".");
  }
  return row
    .map((level) => signs[level])
    .join("")
    .trimEnd();
}

/** `16:00` at both ends, in UTC as everywhere else in the bundle. */
function renderHours({ from, to }: Span): string {
  const [begin, end] = [from, to].map((time) => `${new Date(time).toISOString().slice(5, 16)}Z`);
  return `${begin}${" ".repeat(Math.max(1, columns - 2 * String(begin).length))}${end}`;
}

/** `20 min`, `3 h 5 min`; for people. */
export function renderSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`;
}
