// `config get`: what is in effect at a place of the config file, defaults included; of a broken file what it says.

import { isRecord } from "../../base/json.ts";
import { parseConfigPath, readAt } from "../../config/path.ts";
import { createSecretPaths, redactConfig } from "../../config/secret-paths.ts";
import type { Run } from "../commands.ts";
import { notFound, openConfigFile, parsedValue, warn } from "./file.ts";

export const run: Run = async (context, { args }) => {
  const [text = ""] = args;
  const path = parseConfigPath(text);
  const source = await openConfigFile(context).read();
  const value = readAt(source.config ?? source.whole ?? parsedValue(source, context), path);
  if (value === undefined) {
    // it may be the very thing that is wrong
    warn(source, context);
    throw notFound(text, context);
  }
  const isNested = isRecord(value) || Array.isArray(value);
  // a secret is shown to who asks for it by name, and not in passing
  const shown = isNested ? redactConfig(value, createSecretPaths(), path) : value;
  if (isNested || context.flags.json) context.out.json(shown);
  else context.out.line(String(shown));
  return 0;
};
