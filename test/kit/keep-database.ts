// `npm run keep-database`, at a release: a real Gateway of this version is used a little, and its database is kept as a dump in
// test/fixtures/databases, so that all later versions are tried with it (R10).

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { dumpDatabase } from "./database-dump.ts";
import { startGatewayProcess } from "./gateway-process.ts";

const root = join(import.meta.dirname, "..", "..");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };

const gateway = await startGatewayProcess({
  config: {
    agents: { defaults: { model: "offline/demo" } },
    gateway: { mode: "local", http: { endpoints: { responses: { enabled: true } } } },
    hooks: { enabled: true, token: "hook-token-of-the-sample-0123456789" },
  },
});
try {
  const call = async (...args: string[]) => {
    const { code, stdout, stderr } = await gateway.cli(...args);
    if (code !== 0) throw new Error(`${args.join(" ")}: ${stdout}${stderr}`);
  };
  const method = (name: string, params: object) => call("gateway", "call", name, "--params", JSON.stringify(params));
  await call("agent", "--message", "Remember the blue door.");
  await call("agent", "--message", "And what was it?");
  await call("agent", "--session-id", "other", "--message", "Another conversation.");
  await method("sessions.patch", { key: "agent:main:main", label: "the door" });
  await method("sessions.reset", { key: "agent:main:main" });
  await call("agent", "--message", "After the reset.");
  await method("node.pair.request", { nodeId: "sample-node", displayName: "Sample", platform: "test" });
  await method("system-event", { text: "something happened" });
  await gateway.post("/v1/responses", { model: "openclaw", input: "Keep this response." });
  await gateway.post(
    "/hooks/agent",
    { message: "From a hook.", name: "sample" },
    { authorization: "Bearer hook-token-of-the-sample-0123456789" },
  );
  await call("devices", "list");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await gateway.stop();
  const file = join(root, "test", "fixtures", "databases", `${version}.sql`);
  await writeFile(file, dumpDatabase(join(gateway.folder, "state", "gateway.sqlite")));
  console.log(`wrote ${file}`);
} finally {
  await gateway.dispose();
}
