import assert from "node:assert/strict";
import { mkdtemp, readFile, readlink, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { openLog } from "./log.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "log-link-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("a link leads to the newest file, and what somebody else keeps under its name stays (OV-48)", async () => {
  const clock = createManualClock(Date.parse("2026-01-02T12:00:00"));
  const link = join(folder, "state", "logs", "gateway.log");
  const open = () =>
    openLog({ folder: join(folder, "log"), prefix: "x", clock, link, level: "info", consoleLevel: "info" });
  const { log, close, file } = open();
  log.info("first");
  assert.match(await readFile(link, "utf8"), /first/u);
  await clock.advance(24 * 60 * 60 * 1_000);
  log.info("second");
  assert.doesNotMatch(await readFile(link, "utf8"), /first/u);
  assert.match(await readFile(link, "utf8"), /second/u);
  assert.equal(await readlink(link), file());
  close();

  await unlink(link);
  await writeFile(link, "launchd's");
  const again = open();
  again.log.info("third");
  again.close();
  assert.equal(await readFile(link, "utf8"), "launchd's");
});

test("where no link can be made the log goes on", async () => {
  const blocked = join(folder, "blocked");
  await writeFile(blocked, "");
  const clock = createManualClock();
  const options = { folder: join(folder, "log"), prefix: "y", clock, link: join(blocked, "gateway.log") };
  const { log, close, file } = openLog({ ...options, level: "info", consoleLevel: "info" });
  log.info("all the same");
  close();
  assert.match(await readFile(file(), "utf8"), /all the same/u);
});
