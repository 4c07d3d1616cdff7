// Starts the CLI on a Node that is new enough. Plain syntax, no await at the top: an old Node must be able to read this far.

import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist", "cli.js");
const sources = join(root, "src", "cli", "main.ts");

export async function launch(brandName) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 19)) {
    await restart(brandName);
    return;
  }
  // `kill -USR1 $(pgrep -f "… gateway")` also finds commands that ask a Gateway, and a Gateway that is still loading
  if (process.argv.includes("gateway")) for (const name of ["SIGUSR1", "SIGUSR2"]) process.on(name, () => {});
  const { enableCompileCache } = await import("node:module");
  // beside the code and with its owner: Node's own choice is the temporary folder, where others write too
  enableCompileCache(join(root, "node_modules", ".cache", "compile"));
  const { main } = await import(pathToFileURL(existsSync(built) ? built : sources).href);
  await main({ brandName, argv: process.argv.slice(2) });
}

/** A checkout brings its own Node; elsewhere one sentence has to do. */
async function restart(brandName) {
  const node = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
  if (!existsSync(node)) {
    process.stderr.write(
      `${brandName} needs Node 22.19 or newer, and this is ${process.versions.node}: install a newer Node and try again.\n`,
    );
    process.exitCode = 1;
    return;
  }
  // not above: whoever does not need it does not wait for it
  const { spawn } = await import("node:child_process");
  let child = undefined;
  // before there is a child: it may be running, and be seen to run, before spawn returns
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => {
      if (child) child.kill(signal);
      else process.exit(128 + constants.signals[signal]);
    });
  }
  child = spawn(node, [join(root, "bin", `${brandName}.mjs`), ...process.argv.slice(2)], { stdio: "inherit" });
  child.on("error", (error) => {
    process.stderr.write(`${brandName} could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}
