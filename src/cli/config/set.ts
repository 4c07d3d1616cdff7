// `config set`: one key of the config file; comments and everything else in it stay.

import JSON5 from "json5";

import { Fault } from "../../base/fault.ts";
import { changeText } from "../../config/edit.ts";
import { parseConfigPath, setAt, type ConfigPath } from "../../config/path.ts";
import type { ConfigWriter, SourceFile } from "../../config/write.ts";
import type { Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { explainRefusal, openConfigFile, parsedValue, warn } from "./file.ts";

export const run: Run = async (context, { args }) => {
  const [text = "", words = ""] = args;
  const path = parseConfigPath(text);
  const writer = openConfigFile(context);
  try {
    warn(await write(writer, { path, words }, context), context);
  } catch (error) {
    explainRefusal(error, context);
    throw error;
  }
  context.out.line(`Updated ${text}. A running gateway takes it up by itself.`);
  return 0;
};

interface Setting {
  readonly path: ConfigPath;
  readonly words: string;
}

/** What reads as JSON5 is meant so, unless only a text is taken at this place: a token of digits is a text. */
async function write(writer: ConfigWriter, { path, words }: Setting, context: Context): Promise<SourceFile> {
  const put = (value: unknown) =>
    writer.write((source) => {
      const from = parsedValue(source, context);
      const to = setAt(from, path, value);
      return changeText(source.text, from, to);
    });
  const value = parseValue(words, context.flags.json === true);
  try {
    return await put(value);
  } catch (error) {
    if (typeof value === "string" || context.flags.json || !wantsText(error, path)) throw error;
    return put(words);
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

function wantsText(error: unknown, path: ConfigPath): boolean {
  const issues = error instanceof Fault ? error.details?.["issues"] : undefined;
  // made by config/write
  const all = Array.isArray(issues) ? (issues as { path: string; message: string }[]) : [];
  return all.some((issue) => issue.path === path.join(".") && issue.message.startsWith("must be string"));
}
