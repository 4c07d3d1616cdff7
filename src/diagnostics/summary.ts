// The page that is read first, at night: is it up, what ended it, was it slow, what is full, what is wrong. Made of what has been
// scrubbed and nothing else.

import { isRecord } from "../base/json.ts";
import type { Manifest } from "./bundle.ts";
import { renderChart, renderSpan } from "./chart.ts";
import { files } from "./files.ts";
import type { Life, Timeline, TimelineLine } from "./timeline.ts";

/** What the timeline's file of the bundle holds. */
export interface TimelineFile extends Pick<Timeline, "lives" | "damaged"> {
  readonly events: readonly TimelineLine[];
  /** A Gateway runs. */
  readonly isRunning: boolean;
  /** ms since it told anything; more than some minutes: it hangs. */
  readonly silentMs: number | null;
}

const megabyte = 1024 * 1024;
const hourMs = 3_600_000;
/** A line a minute is written as long as the loop turns. */
const hangsMs = 150_000;
const slowMs = 100;
const shown = 15;

type Found = ReadonlyMap<string, unknown>;

export function renderSummary(found: Found, manifest: Manifest): string {
  // written by the collector of that name; scrubbing changes texts and nothing of their places
  const timeline = found.get(files.timeline) as TimelineFile | undefined;
  const minutes = (found.get(files.minutes) ?? []) as readonly TimelineLine[];
  const to = Date.parse(manifest.createdAt);
  const span = { from: to - manifest.hours * hourMs, to };
  const lines = [...(timeline?.events ?? []), ...minutes];
  return [
    `# ${manifest.product} ${manifest.version}: diagnostics of ${manifest.createdAt}, the last ${renderSpan(manifest.hours * hourMs)}`,
    "",
    "All times are UTC. Names, ids, hosts and paths are aliases such as `<number:bcdfghjk>`: the same one is the same thing.",
    "",
    "## In short",
    "",
    ...inShort(found, timeline, minutes).map((line) => `- ${line}`),
    "",
    "## Timeline",
    "",
    "```",
    renderChart(lines, timeline?.lives ?? [], span),
    "```",
    "",
    ...section("Lives of the Gateway", (timeline?.lives ?? []).slice(-shown).map(renderLife)),
    ...section("Channels", events(timeline, "channel")),
    ...section("Changes of the config", events(timeline, "config")),
    ...section("Last warnings and errors of the log", renderLog(found.get(files.log))),
    ...section(
      "What doctor found",
      findings(found).map((one) => `${text(one, "severity")}: ${text(one, "message")}`),
    ),
    ...section("Not in this bundle", [
      ...manifest.failed.map(({ label, reason }) => `${label}: ${reason}`),
      ...manifest.leftOut,
    ]),
    ...section("Check before you share it", manifest.checkBeforeSharing),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, "", ...lines.map((line) => `- ${line}`), ""];
}

function inShort(found: Found, timeline: TimelineFile | undefined, minutes: readonly TimelineLine[]): string[] {
  return [
    ...tellLives(timeline),
    ...tellLoop(minutes),
    ...tellHealth(record(found.get(files.health)), timeline?.isRunning === true),
    ...tellDatabase(record(found.get(files.database))),
    ...tellDisk(record(found.get(files.disk))),
    ...tellConfig(record(found.get(files.config))),
    ...tellFindings(findings(found)),
  ];
}

function tellLives(timeline: TimelineFile | undefined): string[] {
  if (!timeline) return ["Gateway: its timeline could not be read"];
  const { lives, isRunning, silentMs } = timeline;
  const last = lives.at(-1);
  const count = (end: Life["end"]) => lives.filter((life) => life.end === end).length;
  const now = isRunning
    ? `Gateway: runs${last ? ` since ${iso(last.startedAt)}, version ${last.version}, config: ${last.config}` : ""}`
    : `Gateway: **does not run**${last ? `; its last life ${endText(last)} at ${iso(last.lastSeenAt)}` : "; no life is on record"}`;
  const bad = count("silent") + count("failed") + count("error");
  return [
    now,
    ...(isRunning && silentMs !== null && silentMs > hangsMs
      ? [
          `**It has told nothing for ${renderSpan(silentMs)} though it runs: its event loop may hang, or its disk refuses**`,
        ]
      : []),
    `Lives: ${lives.length}; ${bad === 0 ? "all ended in order" : `**${count("silent")} ended without a word** (crash, kill or power), ${count("failed")} failed to start, ${count("error")} ended with an error`}`,
  ];
}

function tellLoop(lines: readonly TimelineLine[]): string[] {
  const minutes = lines.flatMap((line) => (line.kind === "minute" ? [line] : []));
  const worst = minutes.toSorted((a, b) => b.lag.max - a.lag.max)[0];
  const last = minutes.at(-1);
  if (!worst || !last) return ["Event loop: no minute is on record"];
  const slow = minutes.filter(({ lag }) => lag.max > slowMs).length;
  const most = Math.max(...minutes.map(({ rss }) => rss));
  const { queue } = last;
  return [
    `Event loop: at worst ${Math.round(worst.lag.max)} ms late, at ${iso(worst.at)}; more than ${slowMs} ms in ${slow} of ${minutes.length} minutes`,
    `Memory: ${toMegabytes(last.rss)} MB last, ${toMegabytes(most)} MB at most; ${last.sockets} sockets, ${last.clients} clients`,
    ...(queue ? [`Queue: ${queue.running} run, ${queue.queued} wait, ${queue.outbox} to send`] : []),
    ...last.channels.map(
      ({ channel, account, isUp, pollAge, inboundAge, outboundAge }) =>
        `Channel ${channel} ${account}: ${isUp ? "up" : "**down**"}; ${[
          ["polled", pollAge],
          ["received", inboundAge],
          ["sent", outboundAge],
        ]
          .map(([word, age]) => `${word} ${typeof age === "number" ? `${renderSpan(age)} before` : "never"}`)
          .join(", ")}`,
    ),
  ];
}

function tellHealth(health: Record<string, unknown> | undefined, isRunning: boolean): string[] {
  if (!health) return isRunning ? ["Health: **it runs and did not answer**; why, see below"] : [];
  const problems = list(health["problems"]).map((problem) => `Health: ${text(problem, "message")}`);
  return [`Health: ${health["ok"] === true ? "ok" : "**not ok**"}`, ...problems];
}

function tellDatabase(database: Record<string, unknown> | undefined): string[] {
  if (!database) return [];
  const problems = Array.isArray(database["problems"]) ? database["problems"].map(String) : [];
  const state =
    database["exists"] !== true
      ? "none yet"
      : problems.length > 0
        ? `**not whole**: ${problems.join("; ")}`
        : String(database["integrity"]);
  return [`Database: ${state}, ${toMegabytes(database["bytes"])} MB`];
}

function tellDisk(disk: Record<string, unknown> | undefined): string[] {
  return list(disk?.["room"]).map(
    (place) =>
      `Disk of the ${text(place, "place")}: ${toMegabytes(place["freeBytes"])} MB free of ${toMegabytes(place["totalBytes"])} MB`,
  );
}

function tellConfig(config: Record<string, unknown> | undefined): string[] {
  if (!config) return [];
  const problems = Array.isArray(config["problems"]) ? config["problems"].map(String) : [];
  return [
    config["valid"] === true ? "Config: in order" : "Config: **has errors**",
    ...problems.slice(0, 5).map((it) => `Config: ${it}`),
  ];
}

function tellFindings(found: readonly Record<string, unknown>[]): string[] {
  const count = (severity: string) => found.filter((one) => one["severity"] === severity).length;
  return [`Doctor: ${count("error")} errors, ${count("warning")} warnings`];
}

const findings = (found: Found) => list(record(found.get(files.doctor))?.["findings"]);

function renderLife(life: Life): string {
  const steps = life.steps.map(([name, ms]) => `${name} ${ms}`).join(", ");
  const up = life.upMs === undefined ? "never served" : `served after ${life.upMs} ms (${steps})`;
  return `${iso(life.startedAt)} ${life.isRestart ? "restart" : "start"}, version ${life.version}, config ${life.config}, ${up}; ${endText(life)}${life.end === "running" ? "" : ` at ${iso(life.lastSeenAt)}`}`;
}

const ends: Readonly<Record<Life["end"], string>> = {
  running: "runs",
  stopped: "was stopped",
  restarted: "was restarted",
  failed: "**failed to start**",
  error: "**ended with an error**",
  silent: "**ended without a word**",
};

const endText = ({ end, why }: Life) => `${ends[end]}${why === undefined ? "" : ` (${why})`}`;

function events(timeline: TimelineFile | undefined, kind: "channel" | "config"): string[] {
  return (timeline?.events ?? [])
    .filter((line) => line.kind.startsWith(kind))
    .slice(-shown)
    .map((line) => {
      if (line.kind === "channel")
        return `${iso(line.at)} ${line.channel} ${line.account}: ${line.event}${line.reason === undefined ? "" : `, ${line.reason}`}`;
      if (line.kind === "config")
        return `${iso(line.at)} by ${line.by}: ${line.paths.join(", ")}${line.count > line.paths.length ? ` and ${line.count - line.paths.length} more` : ""} (${line.effect})`;
      return `${iso(line.at)} a saved file was **refused**: the config before stayed in use`;
    });
}

function renderLog(lines: unknown): string[] {
  return list(lines)
    .filter(({ level }) => level === "warn" || level === "error" || level === "fatal")
    .slice(-shown)
    .map(
      (line) =>
        `${text(line, "time")} ${text(line, "level")} ${text(line, "subsystem")}: ${text(line, "message")}${renderFields(line["fields"])}`,
    );
}

const maxFields = 300;

function renderFields(fields: unknown): string {
  if (!isRecord(fields)) return "";
  const shortened = JSON.stringify(fields).slice(0, maxFields);
  return ` ${shortened}${shortened.length === maxFields ? "…" : ""}`;
}

const iso = (time: number) => new Date(time).toISOString().slice(0, 19).concat("Z");
const toMegabytes = (bytes: unknown) => Math.round(Number(bytes ?? 0) / megabyte);
const record = (value: unknown) => (isRecord(value) ? value : undefined);
const list = (value: unknown) => (Array.isArray(value) ? value.filter(isRecord) : []);
const text = (value: Record<string, unknown>, name: string) => String(value[name] ?? "");
