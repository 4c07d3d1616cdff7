// `config unset`: takes one key out of the config file.

import { isRecord } from "../../base/json.ts";
import { editText } from "../../config/edit.ts";
import { parseConfigPath, unsetAt } from "../../config/path.ts";
import type { Run } from "../commands.ts";
import { explainRefusal, notFound, openConfigFile, parsedValue, warn } from "./file.ts";

export const run: Run = async (context, { args }) => {
  const [text = ""] = args;
  const path = parseConfigPath(text);
  try {
    const after = await openConfigFile(context).write((source) => {
      const from = parsedValue(source, context);
      const to = unsetAt(from, path);
      if (!isRecord(to) || source.text === undefined) throw notFound(text);
      return editText(source.text, from, to).text;
    });
    warn(after, context);
  } catch (error) {
    explainRefusal(error, context);
    throw error;
  }
  context.out.line(`Removed ${text}. A running gateway takes it up by itself.`);
  return 0;
};
