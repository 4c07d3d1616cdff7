// `config schema`: what the config may hold, as JSON Schema, for editors and scripts.

import type { Run } from "../commands.ts";

export const run: Run = async ({ out }, _invocation) => {
  const { configSchemaJson } = await import("../../settings/generated/schema.ts");
  out.json(JSON.parse(configSchemaJson));
  return 0;
};
