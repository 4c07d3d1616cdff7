// `config set`: one key of the config file; comments and everything else in it stay.

import JSON5 from "json5";

import { Fault } from "../../base/fault.ts";
import { changeText } from "../../config/edit.ts";
import { parseConfigPath, readAt, setAt, type ConfigPath } from "../../config/path.ts";
import type { ConfigWriter, SourceFile } from "../../config/write.ts";
import type { Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { explainRefusal, issuesOf, openConfigFile, parsedValue, tellChanged, warn, type Issue } from "./file.ts";

export const run: Run = async (context, { args }) => {
  const [text = "", words = ""] = args;
  const path = parseConfigPath(text);
  const writer = openConfigFile(context);
  try {
    warn(await write(writer, { path, words }, context), context);
  } catch (error) {
    throw explainRefusal(error, context);
  }
  tellChanged(context, "Updated", text);
  return 0;
};

interface Setting {
  readonly path: ConfigPath;
  readonly words: string;
}

/**
 * What reads as JSON5 is meant so, unless only a text is taken at this place: a token of digits is a text. Lists on the way that
 * are not there yet are made.
 */
async function write(writer: ConfigWriter, { path, words }: Setting, context: Context): Promise<SourceFile> {
  const put = (value: unknown, lists: readonly (readonly string[])[]) =>
    writer.write((source) => {
      const from = parsedValue(source, context);
      const ready = lists.reduce<unknown>((to, at) => (readAt(to, at) === undefined ? setAt(to, at, []) : to), from);
      return changeText(source.text, from, setAt(ready, path, value));
    });
  let value = parseValue(words, context.flags.json === true);
  let lists: readonly (readonly string[])[] = [];
  for (;;) {
    try {
      return await put(value, lists);
    } catch (error) {
      const issues = issuesOf(error);
      const list = path.map((_part, index) => path.slice(0, index)).find((at) => wants("array", issues, at));
      const isText = typeof value !== "string" && !context.flags.json && wants("string", issues, path);
      const isNewList = list !== undefined && !lists.some((at) => at.length === list.length);
      if (!isText && !isNewList) throw error;
      if (isText) value = words;
      else if (list) lists = [...lists, list];
    }
  }
}

function parseValue(words: string, isStrict: boolean): unknown {
  try {
    return JSON5.parse(words);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    if (!isStrict) return words;
    throw new Fault("usage", `not JSON5: ${words}`, {
      cause,
      field: "value",
      next: "leave --json out for a plain text",
    });
  }
}

const wants = (type: "string" | "array", issues: readonly Issue[], at: readonly string[]) =>
  issues.some(({ path, message }) => path === at.join(".") && message.startsWith(`must be ${type}`));
