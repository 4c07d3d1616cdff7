// `config file`: which file it is, for editors and scripts.

import { existsSync } from "node:fs";

import type { Run } from "../commands.ts";

export const run: Run = async ({ out, paths, flags }, _invocation) => {
  if (flags.json) out.json({ path: paths.config, exists: existsSync(paths.config) });
  else out.line(paths.config);
  return 0;
};
