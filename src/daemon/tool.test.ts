import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { createEnv } from "../platform/env.ts";
import { createTool } from "./tool.ts";

test("whoever only looks is not kept waiting for as long as a service may take to stop", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tool-"));
  try {
    await writeFile(join(folder, "systemctl"), "#!/bin/sh\n");
    await chmod(join(folder, "systemctl"), 0o755);
    const limits: number[] = [];
    const tool = createTool("systemctl", {
      env: createEnv(brandOf("openclaw"), { PATH: folder }),
      run: async ({ timeoutMs }) => {
        limits.push(timeoutMs);
        return { exitCode: null, signal: "SIGKILL", stdout: "", stderr: "", isTimedOut: true, isTruncated: false };
      },
    });
    await assert.rejects(tool("--user", "show", "openclaw-gateway.service"), /did not answer within 15 s/u);
    await assert.rejects(tool("--user", "stop", "openclaw-gateway-show.service"), /did not answer within 90 s/u);
    assert.deepEqual(limits, [15_000, 90_000]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
