// `--params`: the params of a request, as JSON.

import { Fault } from "../base/fault.ts";

/** @throws Fault `usage` for what is not JSON. */
export function parseParams(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault("usage", `--params is not JSON: ${error instanceof Error ? error.message : text}`, {
      field: "--params",
      next: `write it as '{"key":"value"}'`,
    });
  }
}
