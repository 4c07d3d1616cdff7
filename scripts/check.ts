// `npm run check`: types, lint, format, rooms, sizes, unused exports, fresh generated files. All of them run, then all is told.

import { bin, run, type Ran } from "./run.ts";

const node = process.execPath;
const checks: readonly (readonly [name: string, argv: readonly [string, ...string[]]])[] = [
  ["types", [bin("tsc"), "-p", "."]],
  ["types of the page", [bin("tsc"), "-p", "src/canvas/page"]],
  ["lint", [bin("oxlint"), "--deny-warnings", "src", "scripts", "test", "bench", "bin"]],
  ["format", [bin("oxfmt"), "--check", "src", "scripts", "test", "bench", "bin"]],
  ["rooms", [node, "scripts/rooms.ts"]],
  ["sizes", [node, "scripts/sizes.ts"]],
  ["unused", [bin("knip"), "--no-progress"]],
  ["generated", [node, "scripts/generate.ts", "--check"]],
];

async function check([name, argv]: (typeof checks)[number]): Promise<boolean> {
  const ran: Ran = await run(argv);
  const isOk = ran.code === 0;
  console.log(`${isOk ? "ok  " : "FAIL"} ${name} (${ran.seconds.toFixed(1)} s)`);
  if (!isOk) console.log(ran.output.trim().split("\n").slice(0, 60).join("\n"));
  return isOk;
}

// two at a time: small machines have two cores
const queue = [...checks];
const results: boolean[] = [];
await Promise.all(
  [1, 2].map(async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results.push(await check(next));
  }),
);
process.exitCode = results.every(Boolean) ? 0 : 1;
