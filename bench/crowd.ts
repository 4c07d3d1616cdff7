// A crowd of clients: how long an event takes to the last of them, what slow readers cost the others, and how long a crowd takes to come
// back after all its connections broke (T18).

import { openCrowd, typicalP99, type Crowd } from "../test/kit/crowd.ts";
import type { Program } from "./programs.ts";
import { repeat } from "./statistics.ts";
import { connectLine, connectParams, type Line } from "./traffic.ts";

export const crowdSize = 500;
const [gapMs, processes] = [110, 2];
/** Notes that are measured, and those before them. */
const [measured, warmUp] = [30, 6];
/** Big ones, until what the system keeps for slow readers is full; all of it within the time that a client has for a pong. */
const big = 40;

async function withCrowd<T>(
  { url }: Program,
  token: string,
  use: (crowd: Crowd, line: Line) => Promise<T>,
): Promise<T> {
  const crowd = openCrowd(processes);
  const line = await connectLine(url, token);
  try {
    return await use(crowd, line);
  } finally {
    line.close();
    await crowd.close();
  }
}

/** Never used twice: a Gateway remembers the last note of an earlier measurement. */
let lastMarker = 0;

/** Posts notes, each of which goes to all, and waits until so many clients have each. @returns the numbers in the notes. */
async function mark(crowd: Crowd, line: Line, options: { count: number; receivers: number }): Promise<number[]> {
  const numbers = Array.from({ length: options.count }, () => (lastMarker += 1));
  for (const marker of numbers) {
    await line.call("system-event", { text: `load marker ${marker} ${process.hrtime.bigint()}`, deviceId: "load" });
    await crowd.seen(marker, options.receivers);
    // notes that follow faster are told together
    await new Promise((resolve) => setTimeout(resolve, gapMs));
  }
  return numbers;
}

const p99 = async (crowd: Crowd, numbers: readonly number[]): Promise<number> =>
  typicalP99(await crowd.reports(), numbers);

/** The list as the Gateway sends it, for a floor that sends the same. */
export async function presenceList({ url }: Program, token: string): Promise<unknown> {
  const line = await connectLine(url, token);
  await line.call("system-event", { text: "load", deviceId: "load" });
  const list = await line.call("system-presence", {});
  line.close();
  return list;
}

/** Ms from a note to its event at 99 of 100 clients: the median of these. */
export const fanOutMs = (program: Program, token: string): Promise<number> =>
  withCrowd(program, token, async (crowd, line) => {
    await crowd.open(crowdSize, { url: program.url, params: connectParams(token) });
    await mark(crowd, line, { count: warmUp, receivers: crowdSize });
    return p99(crowd, await mark(crowd, line, { count: measured, receivers: crowdSize }));
  });

/** The same for those who read, while a fifth of the crowd reads a kilobyte a second and is behind by megabytes; and when all read. */
export const slowReadersMs = (program: Program, token: string): Promise<{ slow: number; all: number }> =>
  withCrowd(program, token, async (crowd, line) => {
    const open = (count: number) => crowd.open(count, { url: program.url, params: connectParams(token) });
    const fill = (text: string) =>
      repeat(180, (device) =>
        line.call("system-event", { text: `device ${device} ${text}`, deviceId: `device-${device}` }),
      );
    const slow = crowdSize / 5;
    await open(slow);
    await crowd.slowDown(slow / processes, 1_024);
    await fill("€".repeat(990));
    await mark(crowd, line, { count: big, receivers: 0 });
    await fill("small");
    await open(crowdSize - slow);
    await mark(crowd, line, { count: warmUp, receivers: crowdSize - slow });
    // before the slow ones read what was kept for them
    const others = await p99(crowd, await mark(crowd, line, { count: measured, receivers: crowdSize - slow }));
    await crowd.resume();
    await mark(crowd, line, { count: warmUp, receivers: crowdSize });
    return { slow: others, all: await p99(crowd, await mark(crowd, line, { count: measured, receivers: crowdSize })) };
  });

/** Ms until a crowd whose connections all broke is back, every client with its hello-ok: each of `times` storms. */
export const stormMs = (program: Program, token: string, times: number): Promise<number[]> =>
  withCrowd(program, token, async (crowd) => {
    const options = { url: program.url, params: connectParams(token) };
    await crowd.open(crowdSize, options);
    return repeat(times, async () => {
      await crowd.drop();
      const startedAt = performance.now();
      await crowd.open(crowdSize, { ...options, atOnce: crowdSize });
      return performance.now() - startedAt;
    });
  });
