// Rewrites how a bundle takes in Node's own modules. `import … from "node:util"` makes Node read every property of that module, and
// some of them load a dozen others (worker threads, undici): together longer than a whole command. `getBuiltinModule` reads none.

import { isBuiltin } from "node:module";

/** Holds the place of the line that each file begins with. */
export const builtinBanner = "/* built-ins */";

const imports = /\bimport(?:(?:\*as )? ?(?<whole>[\w$]+) ?)?(?:,?\{(?<names>[^{}"]*)\})?from"(?<id>[\w:/]+)";/gu;
const left = /\bimport\b[^;"()]*from"node:[^"]+"/u;

/**
 * `texts`: minified files. Their imports of built-ins become constants of the same length, so that source maps stay true.
 * @throws Error for an import of a form that is not known here.
 */
export function takeBuiltins(texts: readonly string[]): string[] {
  const name = findFreeName(texts);
  // packages of the CommonJS kind call `require`, for Node's modules and for optional ones
  const first = `const ${name}=process.getBuiltinModule,require=(id)=>${name}(id)??${name}("module").createRequire(import.meta.url)(id);`;
  return texts.map((text) => {
    const result = text
      .replaceAll(imports, (statement, ...groups) => {
        const { names, whole, id } = groups.at(-1) as Record<string, string>;
        if (id === undefined || !isBuiltin(id)) return statement;
        const taken = names === undefined ? undefined : `{${names.replaceAll(" as ", ":")}}`;
        const module = `${name}("${id}")`;
        if (whole === undefined) return `const${taken}=${module};`.padEnd(statement.length);
        return `const ${whole}=${module}${taken === undefined ? "" : `,${taken}=${whole}`};`.padEnd(statement.length);
      })
      .replace(builtinBanner, () => first);
    const unknown = left.exec(result);
    if (unknown) throw new Error(`an import of a built-in is of an unknown form: ${unknown[0]}`);
    return result;
  });
}

/** Two letters, or a constant would be longer than its import. */
function findFreeName(texts: readonly string[]): string {
  const name = [..."abcdefghijklmnopqrstuvwxyz"].find((letter) => {
    const word = new RegExp(String.raw`(?<![\w$])\$${letter}(?![\w$])`, "u");
    return texts.every((text) => !word.test(text));
  });
  if (name === undefined) throw new Error("no name of two letters is free in the bundle");
  return `$${name}`;
}
