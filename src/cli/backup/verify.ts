// `backup verify`: exit code 0 when the backup can be relied upon, else 1 with all that is wrong with it.

import { tmpdir } from "node:os";
import { resolve } from "node:path";

import { verifyBackup } from "../../backup/verify.ts";
import type { Run } from "../commands.ts";
import { cleanText } from "../render/text.ts";

export const run: Run = async ({ flags, out }, { args }) => {
  const path = resolve(args[0] ?? "");
  const { manifest, problems } = await verifyBackup(path, { temporary: tmpdir() });
  const isGood = problems.length === 0;
  if (flags.json === true) {
    const { files = [], ...about } = manifest ?? {};
    out.json({ path, ok: isGood, problems, ...about, files: files.length });
  } else if (isGood && manifest) {
    const { product, createdAt, files } = manifest;
    const made = `made on ${new Date(createdAt).toISOString()} by ${product.name} ${product.version}`;
    out.line(cleanText(`${path} is whole: ${files.length} files, ${made}`));
  } else {
    out.error(cleanText(`${path} cannot be relied upon:`));
    for (const problem of problems) out.error(cleanText(`- ${problem}`));
  }
  return isGood ? 0 : 1;
};
