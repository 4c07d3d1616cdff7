// A plugin of the build: what packages take from Node for things that a command seldom does (TLS, compression, other programs) is
// loaded when it is first used. Loading it takes longer than a command's whole conversation with a Gateway on the same machine.

import { readFile } from "node:fs/promises";

import type { Plugin } from "esbuild";

const wanted =
  /^(?:const (?<required>https|tls|zlib) = require\('\k<required>'\)|import (?<imported>childProcess) from 'node:child_process');$/gmu;
/** `expected`: how many there are in the bundle; if there are others, they must be looked at anew. */
export function lazyBuiltins(expected: number): Plugin {
  return {
    name: "lazy-builtins",
    setup(plugin) {
      let found = 0;
      // oxlint-disable-next-line eslint/require-unicode-regexp -- esbuild hands the pattern to Go, which knows no flags
      const filter = /[\\/](?:ws[\\/]lib[\\/](?:websocket|permessage-deflate)|commander[\\/]lib[\\/]command)\.js$/;
      plugin.onLoad({ filter }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = text.replaceAll(wanted, (_, required: string | undefined) => {
          found += 1;
          const module = required ?? "child_process";
          const get = `get: (_, key) => process.getBuiltinModule("node:${module}")[key]`;
          return `const ${required ?? "childProcess"} = new Proxy({}, { ${get} });`;
        });
        return { contents };
      });
      plugin.onEnd(() =>
        found === expected ? {} : { errors: [{ text: `${found} built-ins are taken as expected, not ${expected}` }] },
      );
    },
  };
}
