// `--runtime` and `--daemon-runtime` of older scripts: what a service runs under.

import { Fault } from "../../base/fault.ts";

/** @throws Fault `usage` for anything but `node`. */
export function checkRuntime(runtime: unknown, field: string): void {
  if (runtime === undefined || runtime === "node") return;
  const message =
    runtime === "bun"
      ? `${field} bun: the Gateway runs under Node alone, whose database and workers it uses`
      : `Invalid ${field}: ${String(runtime)}`;
  throw new Fault("usage", message, { field, next: `leave it out, or use ${field} node` });
}
