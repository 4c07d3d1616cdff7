// `node status`: how the node's service is.

import type { Run } from "../commands.ts";
import { inspectService, renderService } from "./inspect.ts";
import { openCliServices } from "./open.ts";

export const run: Run = async (context) => {
  const services = await openCliServices(context, "node");
  const report = await inspectService(services, services.manager.read());
  if (context.flags.json) context.out.json({ service: report });
  else renderService(context, report);
  return 0;
};
