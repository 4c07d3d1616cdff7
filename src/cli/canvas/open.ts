// `canvas open`: a page of the canvas in the browser. Its address is this command's connection's, and ends with it.

import { canvasNames } from "../../base/brand.ts";
import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import type { GatewayClient } from "../../client/connect.ts";
import type { Run } from "../commands.ts";
import { findGateway, openClient, parseTimeout, readConfig } from "../connection.ts";
import { openBrowser } from "../dashboard/browser.ts";
import { decideTunnel } from "../dashboard/tunnel.ts";
import { interruptible } from "../interrupt.ts";

const defaultTimeoutMs = 10_000;

export const run: Run = async (context, { options }) => {
  const { out, flags } = context;
  const { config, fault } = await readConfig(context);
  if (fault) out.error(`warning: ${fault.message}`);
  const target = await findGateway(context, config);
  const timeoutMs = parseTimeout(textOf(options["timeout"]), defaultTimeoutMs);
  const client = await openClient(context, { scopes: ["operator.admin"], timeoutMs, target });
  try {
    const url = toPage(client, options);
    const tunnel = decideTunnel(context, target);
    const opened = options["open"] !== false && tunnel === undefined && (await openBrowser(context, url));
    if (flags.json) out.json({ url, opened, ...withoutGaps({ tunnel }) });
    else {
      out.line(`Canvas URL: ${url}`);
      if (tunnel !== undefined) out.line(`From another machine: ${tunnel}, then open the URL there.`);
      out.line(opened ? "It opens in the browser." : "Open it in a browser.");
      out.line("It works until this command ends: Ctrl-C.");
    }
    return await wait(client);
  } finally {
    client.close();
  }
};

const textOf = (value: string | boolean | undefined) => (typeof value === "string" ? value : undefined);

/** @throws Fault `not_found` when the canvas is switched off. */
function toPage({ hello }: GatewayClient, options: Parameters<Run>[1]["options"]): string {
  const base = hello.canvasHostUrl ?? hello.pluginSurfaceUrls?.canvas;
  if (base === undefined) {
    throw new Fault("not_found", "this Gateway has no canvas", {
      next: "look at canvasHost.enabled in its config",
    });
  }
  const page = new URL(`${base}/${canvasNames[0]}/${options["files"] === true ? "canvas" : "a2ui"}/`);
  const session = textOf(options["session"]);
  if (session !== undefined && options["files"] !== true) page.searchParams.set("session", session);
  return page.href;
}

/** A person ends it, and that is its good end; the Gateway's going is not. @throws Fault `unreachable` */
async function wait(client: GatewayClient): Promise<number> {
  const gone = () =>
    new Promise<{ readonly reason: string }>((resolve) => {
      client.onClose(({ reason }) => resolve({ reason }));
    });
  const ended = await interruptible(gone, async () => undefined);
  if ("exitCode" in ended) return 0;
  throw new Fault("unreachable", `the Gateway has gone${ended.reason === "" ? "" : ` (${ended.reason})`}`, {
    next: "open the page again once it is back: its address was this connection's",
  });
}
