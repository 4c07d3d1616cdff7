// `config validate`: every problem of the config file with its place and the fix.

import { renderProblem } from "../../config/explain.ts";
import type { Run } from "../commands.ts";
import { openConfigFile } from "./file.ts";

export const run: Run = async (context, _invocation) => {
  const { out, paths, flags } = context;
  const { exists, problems, legacy } = await openConfigFile(context).read();
  const isValid = problems.length === 0;
  for (const key of flags.json ? [] : legacy) out.error(`warning: ${renderProblem(paths.config, key)}`);
  if (flags.json) out.json({ path: paths.config, exists, valid: isValid, issues: problems, legacyIssues: legacy });
  else if (isValid)
    out.line(exists ? `${paths.config} is valid.` : `${paths.config} does not exist: every default is in use.`);
  else for (const problem of problems) out.line(renderProblem(paths.config, problem));
  return isValid ? 0 : 1;
};
