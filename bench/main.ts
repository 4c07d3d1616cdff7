// `npm run bench`: how fast and how small, each figure beside a floor measured in the same run, so that what counts is the ratio.
// Options: --json, --runs N (default 7), --only start|memory|rates|crowd|cli|sessions|completions.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { cleanEnv, launcher, residentMb, startFloor, startGateway, token, wallMs, type Program } from "./programs.ts";
import { crowdSize, fanOutMs, presenceList, slowReadersMs, stormMs } from "./crowd.ts";
import { measureCompletions } from "./completions.ts";
import { measureLists } from "./sessions.ts";
import { median, repeat } from "./statistics.ts";
import { connectLine, measureRate, openLine } from "./traffic.ts";

interface Figure {
  readonly name: string;
  readonly unit: "ms" | "MB" | "/s";
  readonly value: number;
  readonly floorName: string;
  readonly floor: number;
}

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "7" },
    only: { type: "string" },
  },
});
const runs = Math.max(1, Number(options.runs) || 1);
const home = mkdtempSync(join(tmpdir(), "bench-"));
const env = cleanEnv(home);
const figures: Figure[] = [];
const note = (text: string) => process.stderr.write(`${text}\n`);

async function withProgram<T>(starting: Promise<Program>, use: (program: Program) => Promise<T>): Promise<T> {
  const program = await starting;
  try {
    return await use(program);
  } finally {
    await program.stop();
  }
}

/** From the start of the process to the answer of `connect` (the floor: of any request). */
async function measureStart(): Promise<void> {
  note(`start: ${runs} runs`);
  const helloMs = (program: Program, startedAt: number) =>
    connectLine(program.url, token).then((line) => {
      line.close();
      return performance.now() - startedAt;
    });
  // the first start fills the compile cache and makes the database, as the first start of an installation does
  const timed = (start: () => Promise<Program>) => async () => {
    const startedAt = performance.now();
    return withProgram(start(), (program) => helloMs(program, startedAt));
  };
  const first = await timed(() => startGateway(env))();
  const floor = median(
    await repeat(
      runs,
      timed(() => startFloor(env, {})),
    ),
  );
  const value = median(
    await repeat(
      runs,
      timed(() => startGateway(env)),
    ),
  );
  const floorName = "bare ws server";
  figures.push({ name: "start to hello-ok, first start", unit: "ms", value: first, floorName, floor });
  figures.push({ name: "start to hello-ok", unit: "ms", value, floorName, floor });
}

async function measureMemory(): Promise<void> {
  if (process.platform !== "linux") return;
  const times = Math.min(runs, 3);
  note(`memory: ${times} runs, 2 s idle`);
  const idle = (start: () => Promise<Program>) => () =>
    withProgram(start(), async (program) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return residentMb(program.pid) ?? 0;
    });
  const floor = median(
    await repeat(
      times,
      idle(() => startFloor(env, {})),
    ),
  );
  const value = median(
    await repeat(
      times,
      idle(() => startGateway(env)),
    ),
  );
  figures.push({ name: "idle memory", unit: "MB", value, floorName: "bare ws server", floor });
}

const loads = [
  { name: "health, one after the other", connections: 1, inFlight: 1 },
  { name: "health, 64 in flight", connections: 1, inFlight: 64 },
  { name: "health, 50 connections", connections: 50, inFlight: 1 },
] as const;

async function measureRates(): Promise<void> {
  const times = Math.min(runs, 3);
  note(`rates: ${times} runs of ${loads.length} loads, Gateway and floor in turn`);
  await withProgram(startGateway(env), async (gateway) => {
    const probe = await connectLine(gateway.url, token);
    const answer = await probe.call("health", {});
    probe.close();
    await withProgram(startFloor(env, answer), async (floor) => {
      for (const { name, connections, inFlight } of loads) {
        const rate = (open: () => ReturnType<typeof openLine>) => async () => {
          const lines = await repeat(connections, open);
          const measured = await measureRate(lines, { inFlight, durationMs: 900 });
          for (const line of lines) line.close();
          return measured;
        };
        const floors = await repeat(
          times,
          rate(() => openLine(floor.url)),
        );
        const values = await repeat(
          times,
          rate(() => connectLine(gateway.url, token)),
        );
        figures.push({ name, unit: "/s", value: median(values), floorName: "bare ws server", floor: median(floors) });
      }
      const [value, least] = [residentMb(gateway.pid), residentMb(floor.pid)];
      if (value === undefined || least === undefined) return;
      figures.push({ name: "memory after these loads", unit: "MB", value, floorName: "bare ws server", floor: least });
    });
  });
}

async function measureCrowd(): Promise<void> {
  const times = Math.min(runs, 3);
  const storms = 10;
  note(`crowd: ${times} runs with ${crowdSize} clients, Gateway and floor in turn`);
  await withProgram(startGateway(env), async (gateway) => {
    const list = await presenceList(gateway, token);
    await withProgram(startFloor(env, {}, list), async (floor) => {
      const programs = [gateway, floor] as const;
      const pairs = await repeat(times, () => repeatEach(programs, (program) => fanOutMs(program, token)));
      const figure = (index: 0 | 1) => median(pairs.map((pair) => pair[index] ?? Number.NaN));
      const floorName = "bare ws server";
      figures.push({
        name: `event to ${crowdSize} clients, p99`,
        unit: "ms",
        value: figure(0),
        floorName,
        floor: figure(1),
      });
      const stormsOf = await repeatEach(programs, (program) => stormMs(program, token, storms));
      const [values = [], floors = []] = stormsOf;
      const storm = `${crowdSize} clients drop and come back`;
      figures.push({ name: storm, unit: "ms", value: median(values), floorName, floor: median(floors) });
      figures.push({
        name: `the same, worst of ${storms}`,
        unit: "ms",
        value: Math.max(...values),
        floorName,
        floor: Math.max(...floors),
      });
    });
    const ran = await repeat(times, () => slowReadersMs(gateway, token));
    const [slow, all] = [median(ran.map((it) => it.slow)), median(ran.map((it) => it.all))];
    const name = `event to the others while ${crowdSize / 5} of ${crowdSize} read 1 KB/s, p99`;
    figures.push({ name, unit: "ms", value: slow, floorName: "all reading", floor: all });
  });
}

async function repeatEach<T>(programs: readonly Program[], measure: (program: Program) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const program of programs) results.push(await measure(program));
  return results;
}

async function measureCli(): Promise<void> {
  note(`cli: ${runs} runs`);
  await withProgram(startGateway(env), async ({ url }) => {
    const floor = median(await repeat(runs, () => wallMs(["-e", "0"], env)));
    const asked = ["--url", url, "--token", token];
    const commands: readonly (readonly [name: string, ...more: string[]])[] = [
      ["--version"],
      ["--help"],
      ["health", ...asked],
      ["status", ...asked],
      ["logs", "--limit", "20", ...asked],
      ["config get", "gateway"],
      ["gateway status", "--no-probe"],
      ["doctor"],
      ["completion", "bash"],
    ];
    for (const [name, ...more] of commands) {
      const argv = [launcher, ...name.split(" "), ...more];
      await wallMs(argv, env);
      const value = median(await repeat(runs, () => wallMs(argv, env)));
      figures.push({ name: `openclaw ${name}`, unit: "ms", value, floorName: "node -e 0", floor });
    }
  });
}

async function measureSessions(): Promise<void> {
  note("sessions: half a million messages are written first");
  for (const figure of await measureLists(home, Math.max(runs, 20))) {
    figures.push({ ...figure, unit: "ms", floorName: "one SELECT of 100 rows" });
  }
}

async function measureEndpoint(): Promise<void> {
  const times = Math.min(runs, 3);
  note(`completions: ${times} runs, through the Gateway and to the model directly in turn`);
  for (const figure of await measureCompletions(home, env, times)) {
    figures.push({ ...figure, floorName: "the model itself" });
  }
}

function renderTable(): string {
  const digits = (figure: Figure, value: number) => `${value.toFixed(figure.unit === "/s" ? 0 : 1)} ${figure.unit}`;
  const rows = figures.map((figure) => [
    figure.name,
    digits(figure, figure.value),
    digits(figure, figure.floor),
    figure.floorName,
    `${(figure.value / figure.floor).toFixed(2)} x`,
  ]);
  const table = [["", "value", "floor", "of", "ratio"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number) => column === 1 || column === 2 || column === 4;
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}

const parts = {
  start: measureStart,
  memory: measureMemory,
  rates: measureRates,
  crowd: measureCrowd,
  cli: measureCli,
  sessions: measureSessions,
  completions: measureEndpoint,
};
try {
  for (const [name, measure] of Object.entries(parts)) {
    if (options.only === undefined || options.only === name) await measure();
  }
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
console.log(options.json ? JSON.stringify({ node: process.versions.node, runs, figures }, null, 2) : renderTable());
