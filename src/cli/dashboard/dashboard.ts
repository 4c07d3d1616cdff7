// `dashboard`: where the page of the Gateway is, and opens it where a person can see it.

import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import { createEgress } from "../../platform/egress.ts";
import type { Config } from "../../settings/config.ts";
import type { Run } from "../commands.ts";
import { findGateway, readConfig, type GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";
import { openBrowser } from "./browser.ts";
import { decideTunnel } from "./tunnel.ts";

/** `none`: a Gateway answers there, and has no page. */
type Page = "served" | "none" | "unreachable";

export const run: Run = async (context, { options }) => {
  const { config, fault } = await readConfig(context);
  const { out, flags } = context;
  if (fault) out.error(`warning: ${fault.message}`);
  const target = await findGateway(context, config);
  const plain = toPage(target.url, config);
  const url = withToken(plain, target);
  const page = await look(context, plain);
  const tunnel = decideTunnel(context, target);
  const mayOpen = page === "served" && options["open"] !== false && tunnel === undefined;
  const opened = mayOpen && (await openBrowser(context, url));
  if (flags.json)
    out.json({ url, reachable: page !== "unreachable", served: page === "served", opened, ...withoutGaps({ tunnel }) });
  else tell(context, { url, page, opened, tunnel, target });
  return page === "unreachable" ? 1 : 0;
};

interface Found {
  readonly url: string;
  readonly page: Page;
  readonly opened: boolean;
  readonly tunnel: string | undefined;
  readonly target: GatewayTarget;
}

function tell({ out, command }: Context, { url, page, opened, tunnel, target }: Found): void {
  out.line(`Dashboard URL: ${url}`);
  if (target.secret?.mode === "password") out.line("It asks for the Gateway's password.");
  if (tunnel !== undefined) out.line(`From another machine: ${tunnel}, then open the URL there.`);
  if (opened) out.line("It opens in the browser.");
  if (page === "none")
    out.line("The Gateway answers there, and has no page yet: the Control UI comes with a later version.");
  if (page === "unreachable") {
    out.error("the Gateway does not answer there");
    out.error(`next: ${target.port ? command("gateway") : "check the address, and that a Gateway listens there"}`);
  }
}

/** The HTTP address on the same port. */
function toPage(url: string, { gateway }: Config): string {
  const page = new URL(url);
  page.protocol = page.protocol === "wss:" ? "https:" : "http:";
  const base = gateway.controlUi?.basePath?.replaceAll(/^\/+|\/+$/gu, "") ?? "";
  page.pathname = base === "" ? "/" : `/${base}/`;
  return page.href;
}

/** In the fragment: that part of an address never leaves the browser. */
function withToken(page: string, { secret }: GatewayTarget): string {
  return secret?.mode === "token" ? `${page}#token=${encodeURIComponent(secret.value)}` : page;
}

async function look({ clock }: Context, page: string): Promise<Page> {
  const egress = createEgress({ clock });
  try {
    const response = await egress.fetch(page);
    await response.body?.cancel();
    const isPage = response.ok && /^text\/html\b/u.test(response.headers.get("content-type") ?? "");
    return isPage ? "served" : "none";
  } catch (error) {
    if (error instanceof Fault) throw error;
    // below HTTP: nobody is there
    return "unreachable";
  } finally {
    egress.close();
  }
}
