// The command lines of docs/multiple-gateways.md, typed as they stand, block after block in one home each. Ports are exchanged for free
// ones, and systemd's programs are stand-ins where services are made.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";

import { planPorts } from "../../src/platform/port-plan.ts";
import { brandOf } from "../../src/base/brand.ts";
import { createEnv } from "../../src/platform/env.ts";
import { createCliHome } from "../kit/cli-process.ts";
import { createCommandLine } from "../kit/command-line.ts";
import { createFakeTools, workingSystemctl } from "../kit/fake-tools.ts";

const text = await readFile(join(import.meta.dirname, "..", "..", "docs", "multiple-gateways.md"), "utf8");
const skip = process.platform === "linux" ? false : "the services in it are systemd's";

interface Block {
  readonly lines: readonly string[];
  readonly needsServices: boolean;
}

const sections = new Map<string, Block[]>();
let heading = "";
for (const [, title, kind, body = ""] of text.matchAll(/^## (.+)$|^```bash( services)?\n([\s\S]*?)^```$/gmu)) {
  heading = title ?? heading;
  const lines = body.split("\n").map((line) => line.replace(/\s+#.*$/u, "").trim());
  if (title === undefined)
    sections.set(heading, [
      ...(sections.get(heading) ?? []),
      { lines: lines.filter((line) => line !== ""), needsServices: kind !== undefined },
    ]);
}
const isForeground = (line: string) => /openclaw(?: --(?:dev|profile \w+))* gateway(?: --.*)?$/u.test(line);

assert.ok(sections.size >= 4, "the page has its sections");
for (const [title, blocks] of sections)
  test(`${title} (RB-38, MG-09..20, OV-18, VG-14)`, { skip }, async () => {
    const home = await createCliHome();
    const tools = await createFakeTools(home.folder);
    if (blocks.some(({ needsServices }) => needsServices)) {
      await tools.write("systemctl", workingSystemctl(join(home.folder, ".config", "systemd", "user")));
      await tools.write("loginctl", `[ "$1" = show-user ] && echo Linger=yes; exit 0`);
      await tools.write("journalctl", "exit 1");
    }
    const path = [tools.path, home.env["PATH"]].join(delimiter);
    const shell = await createCommandLine({ ...home, env: { ...home.env, PATH: path } }, [18_789, 19_001, 19_789]);
    try {
      for (const line of blocks.flatMap(({ lines }) => lines)) {
        // the dev port has no place in the line: the variable of the same rank moves it
        const moved = line.includes("--dev") ? `OPENCLAW_GATEWAY_PORT=19001 ${line}` : line;
        if (isForeground(line)) await shell.start(moved);
        else {
          const { code, stdout, stderr } = await shell.type(moved);
          assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
          if (line.endsWith(" status") && !line.endsWith("gateway status"))
            assert.match(stdout, /^Gateway: reachable at /u, line);
        }
      }
    } finally {
      await shell.stop();
      await home.dispose();
    }
  });

test("its table of ports is what the program works out (MG-14, MG-18, MG-21..24)", () => {
  const rows = text.split("\n").filter((line) => /^\| (?:Gateway|browser|extension|canvas)/u.test(line));
  const env = createEnv(brandOf("openclaw"), {});
  for (const [column, base] of [18_789, 19_001, 19_789].entries()) {
    const { gateway, browserControl, extensionRelay, canvas, cdp } = planPorts({ base, env, config: {} });
    assert.deepEqual(
      rows.map((row) => row.split("|")[column + 3]?.trim()),
      [gateway, browserControl, extensionRelay, canvas, `${cdp?.first}-${cdp?.last}`].map(String),
    );
  }
});
