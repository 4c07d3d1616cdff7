// `config unset`: takes one key out of the config file.

import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import { editText } from "../../config/edit.ts";
import { parseConfigPath, readAt, unsetAt, type ConfigPath } from "../../config/path.ts";
import type { SourceFile } from "../../config/write.ts";
import type { Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { explainRefusal, notFound, openConfigFile, parsedValue, tellChanged, warn } from "./file.ts";

export const run: Run = async (context, { args }) => {
  const [text = ""] = args;
  const path = parseConfigPath(text);
  try {
    const after = await openConfigFile(context).write((source) => {
      const from = parsedValue(source, context);
      const to = unsetAt(from, path);
      if (!isRecord(to) || source.text === undefined) throw missing(source, path, context);
      return editText(source.text, from, to).text;
    });
    warn(after, context);
  } catch (error) {
    throw explainRefusal(error, context);
  }
  tellChanged(context, "Removed", text);
  return 0;
};

function missing({ whole, content }: SourceFile, path: ConfigPath, context: Context): Fault {
  const text = path.join(".");
  if (readAt(whole, path) === undefined) return notFound(text, context);
  const parts = content?.parts.map(({ name }) => name).join(", ");
  return new Fault("not_found", `${text} stands in a file that the config includes`, {
    field: text,
    next: `take it out there: ${parts}`,
  });
}
