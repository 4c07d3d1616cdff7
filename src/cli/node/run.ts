// `node run`: this machine as a node of a Gateway, until it is told to stop. It pairs by itself: a request, then patience.

import { homedir, hostname } from "node:os";

import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { createDeviceTokens } from "../../client/device-tokens.ts";
import { openDeviceIdentity } from "../../client/device-identity.ts";
import { openNodeSocket, pinNodeSocket } from "../../client/node-socket.ts";
import type { OpenSocket } from "../../client/socket.ts";
import { startNode, type NodeOptions } from "../../node-host/node.ts";
import { createPrivateFiles, isNotWritable } from "../../platform/private-files.ts";
import type { Config } from "../../settings/config.ts";
import type { Invocation, Run } from "../commands.ts";
import { findGateway, readConfig, type GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";
import { openGatewayLog, watchCaptures } from "../gateway/open-log.ts";
import { killItself, watchSignals } from "../gateway/signals.ts";

export const run: Run = async (context, invocation) => {
  const { paths, clock, ids, env, version } = context;
  const { config } = await readConfig(context);
  const url = toUrl(invocation);
  const target = await findGateway(url ? { ...context, flags: { ...context.flags, url } } : context, config);
  watchCaptures(context, "node");
  const opened = openGatewayLog(
    { ...context, paths: { ...paths, logPrefix: `${paths.logPrefix}-node` } },
    () => config,
    { name: "node", isVerbose: false },
  );
  const log = opened.log.child("node");
  const signals = watchSignals({ clock, onBreakdown: () => process.exit(1), onStuck: killItself });
  signals.lead({ log, mayRestart: () => false, restart: () => undefined });
  const text = (name: string) => invocation.options[name] as string | undefined;
  const node = startNode({
    connection: {
      ...(await toConnection(context, target)),
      openSocket: toOpenSocket(text("tlsFingerprint") ?? pinOf(config, target), target),
    },
    client: {
      version,
      displayName: text("displayName")?.trim() || hostname(),
      ...(text("nodeId") ? { instanceId: text("nodeId") } : {}),
    },
    clock,
    ids,
    log,
    variable: (name) => env.raw(name),
    home: homedir(),
    execApprovalsPath: paths.execApprovals,
  });
  try {
    const ends = [signals.stopped.then(() => undefined), watch(node.client, log, target.url), signals.broken];
    const fault = await Promise.race(ends);
    if (fault) throw explain(fault);
    log.info(`received ${await signals.stopped}; stopping`);
    return 0;
  } finally {
    await node.stop();
    opened.close();
    signals.done();
  }
};

/** `--host` and `--port` name a Gateway; without both it is the one that every command finds. */
function toUrl({ options }: Invocation): string | undefined {
  const { host, port, tls } = options;
  if (host === undefined && port === undefined) return undefined;
  const name = String(host ?? "127.0.0.1");
  const url = `${tls === true ? "wss" : "ws"}://${name.includes(":") ? `[${name}]` : name}:${String(port ?? 18_789)}`;
  if (URL.canParse(url) && new URL(url).host !== "" && new URL(url).pathname === "/") return url;
  throw new Fault("usage", `not a host and port: ${url}`, {
    field: "--host",
    next: "such as --host 127.0.0.1 --port 18789",
  });
}

async function toConnection(
  context: Context,
  { url, secret, port }: GatewayTarget,
): Promise<Omit<NodeOptions["connection"], "openSocket">> {
  const { paths, clock, env } = context;
  const files = createPrivateFiles();
  const device = {
    identity: await openDeviceIdentity({ path: paths.deviceIdentity, files, clock }),
    tokens: createDeviceTokens({ path: paths.deviceTokens, files, isNotWritable }),
  };
  return {
    url,
    auth: secret ? { [secret.mode]: secret.value } : {},
    device,
    plainHosts: port ? "any" : env.get("ALLOW_INSECURE_PRIVATE_WS") === "1" ? "named" : "private",
  };
}

/** The configured pin belongs to the configured Gateway. */
function pinOf({ gateway: { remote } }: Config, { url }: GatewayTarget): string | undefined {
  return remote?.url === url ? remote.tlsFingerprint : undefined;
}

/** @throws Fault `usage` for a fingerprint that is none, or that an address without TLS cannot have. */
function toOpenSocket(fingerprint: string | undefined, { url }: GatewayTarget): OpenSocket {
  if (fingerprint === undefined) return openNodeSocket;
  if (url.startsWith("wss:")) return pinNodeSocket(fingerprint);
  throw new Fault("usage", "a fingerprint needs TLS", { field: "--tls-fingerprint", next: "add --tls" });
}

function explain(fault: Fault): Fault {
  if (fault.code !== "unauthorized" || fault.next !== undefined) return fault;
  return new Fault(fault.code, fault.message, { cause: fault, next: "pass --token or --password: the Gateway's own" });
}

type Client = ReturnType<typeof startNode>["client"];

/** Says how the connection is. Resolves when trying again cannot help. */
function watch(client: Client, log: Log, url: string): Promise<Fault | undefined> {
  let said = "";
  const say = (level: "info" | "warn", line: string) => {
    // the same trouble over and over is told once
    if (line !== said) log[level](line);
    said = line;
  };
  say("info", `connecting to ${url}`);
  return new Promise((resolve) => {
    client.onState((state) => {
      if (state.state === "connected") say("info", `connected to ${url}`);
      else if (state.state === "stopped") resolve(state.fault);
      else if (state.state === "waiting") {
        const { message, next } = state.fault;
        say("warn", next ? `${message}; ${next}` : message);
      }
    });
  });
}
