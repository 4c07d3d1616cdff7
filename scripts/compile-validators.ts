// JSON Schemas -> one ES module of standalone AJV validators, without ajv at run time. Its exports are `validate_<name>`
// (characters other than letters and digits become `_`). AJV's own ESM output still calls `require`: esbuild bundles that away.

import { _, Ajv, type CodeKeywordDefinition, type KeywordCxt, type Options } from "ajv";
import { Type } from "ajv/dist/compile/util.js";
import standaloneModule from "ajv/dist/standalone/index.js";
import { build } from "esbuild";

export interface CompileOptions {
  /** Fill in `default` values while validating. */
  readonly useDefaults?: boolean;
  /** Report every problem, not only the first. */
  readonly allErrors?: boolean;
  /** One function for each `$ref`: what the value at hand does not need is then never compiled. */
  readonly separateRefs?: boolean;
  /** False: problems carry no `message`; who reads them has words of their own. */
  readonly messages?: boolean;
  /** An array is read up to its first bad item: a stranger's million bad items are one problem, not a million. */
  readonly firstBadItem?: boolean;
}

/** Keywords that carry information for people and generators only. */
const annotations = ["secret", "reload", "help"];

export function createAjv(options: CompileOptions = {}, extra: Options = {}): Ajv {
  const ajv = new Ajv({
    strict: false,
    useDefaults: options.useDefaults ?? false,
    allErrors: options.allErrors ?? true,
    messages: options.messages ?? true,
    ...extra,
  });
  for (const keyword of annotations) ajv.addKeyword(keyword);
  if (options.firstBadItem === true) ajv.removeKeyword("items").addKeyword(itemsUntilBad);
  return ajv;
}

/** `items` that stops at the first bad one also when all problems are asked for; AJV's own then lists every item's. */
const itemsUntilBad: CodeKeywordDefinition = {
  keyword: "items",
  type: "array",
  schemaType: ["object", "boolean"],
  code(context: KeywordCxt) {
    const { gen, data } = context;
    const valid = gen.var("valid", true);
    gen.forRange("i", 0, _`${data}.length`, (index) => {
      context.subschema({ keyword: "items", dataProp: index, dataPropType: Type.Num }, valid);
      gen.if(_`!${valid}`, () => gen.break());
    });
    context.ok(valid);
  },
};

export function exportName(name: string): string {
  return `validate_${name.replaceAll(/[^a-zA-Z0-9]/gu, "_")}`;
}

/**
 * The text of the module. Each export answers whether a value is valid and leaves the problems on its `errors`.
 * @throws for a schema that AJV does not take, and for two names that become one export.
 */
export async function compileValidators(
  schemas: Record<string, object>,
  options: CompileOptions = {},
): Promise<string> {
  const ajv = createAjv(options, {
    inlineRefs: options.separateRefs !== true,
    code: { source: true, esm: true, lines: false },
  });
  const refs: Record<string, string> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    // a copy: AJV keeps one function per schema object, and would emit it twice when two names share it
    ajv.addSchema(structuredClone(schema), name);
    const exported = exportName(name);
    if (refs[exported] !== undefined) throw new Error(`${name} and ${refs[exported]} are both exported as ${exported}`);
    refs[exported] = name;
  }
  // a CommonJS default export, seen through ES module interop
  const standalone = (standaloneModule as unknown as { default: typeof standaloneModule }).default ?? standaloneModule;
  const source = (standalone as unknown as (ajv: Ajv, refs: Record<string, string>) => string)(ajv, refs);
  const bundled = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    minify: true,
    write: false,
    legalComments: "none",
  });
  return bundled.outputFiles[0]?.text ?? "";
}
