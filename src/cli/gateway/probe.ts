// `gateway probe`: every Gateway that this command could mean (named, remote, on this machine), each asked by itself. Ends with 1 when
// none of them answers.

import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import type { GatewayClient } from "../../client/connect.ts";
import type { Config } from "../../settings/config.ts";
import { findTailnetAddress } from "../bind-host.ts";
import type { Run } from "../commands.ts";
import { findGateway, parseTimeout, readConfig, withClient, type GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";

type Kind = "explicit" | "configRemote" | "localLoopback";

interface Candidate {
  readonly id: Kind;
  readonly target: GatewayTarget;
  /** It is the one that commands talk to. */
  readonly isActive: boolean;
}

interface Answer {
  readonly id: Kind;
  readonly kind: Kind;
  readonly url: string;
  readonly active: boolean;
  readonly tunnel: null;
  readonly connect: {
    readonly ok: boolean;
    readonly latencyMs: number | null;
    readonly error: string | null;
    readonly close: null;
  };
  readonly self: object | null;
  readonly config: object | null;
  readonly health: object | null;
  readonly summary: object | null;
  readonly presence: readonly object[] | null;
}

/** A Gateway on this machine answers at once or not at all. */
const budgets: Readonly<Record<Kind, number>> = { explicit: 3_000, configRemote: 1_500, localLoopback: 800 };

export const run: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 3_000);
  const { out, clock, flags } = context;
  const startedAt = clock.monotonic();
  const { config, fault } = await readConfig(context);
  if (fault) out.error(`warning: ${fault.message}`);
  const candidates = await listCandidates(context, config);
  const targets = await Promise.all(candidates.map((candidate) => ask(context, candidate, timeoutMs)));
  const reached = targets.filter(({ connect }) => connect.ok);
  const report = {
    ok: reached.length > 0,
    ts: clock.now(),
    durationMs: Math.round(clock.monotonic() - startedAt),
    timeoutMs,
    primaryTargetId: (reached.find(({ active }) => active) ?? reached[0])?.id ?? null,
    warnings: warn(reached),
    network: viewNetwork(candidates),
    // nothing is looked for on the network
    discovery: { timeoutMs: 0, count: 0, beacons: [] },
    targets,
  };
  if (flags.json) out.json(report);
  else {
    for (const target of targets) render(context, target);
    for (const { message } of report.warnings) out.line(out.style("yellow", `warning: ${message}`));
    if (reached.length === 0) out.error(`next: start one with ${context.command("gateway")}`);
  }
  return report.ok ? 0 : 1;
};

/** Two addresses may lead to one Gateway: what they say of themselves is then the same. */
function warn(reached: readonly Answer[]) {
  const selves = new Set(reached.map(({ self, config }) => JSON.stringify([self, config])));
  const message = "more than one Gateway answers; commands talk to the one marked active";
  return selves.size > 1 ? [{ code: "multiple_gateways", message }] : [];
}

function viewNetwork(candidates: readonly Candidate[]) {
  const local = candidates.find(({ id }) => id === "localLoopback")?.target;
  const tailnet = findTailnetAddress();
  return {
    localLoopbackUrl: local?.url ?? null,
    localTailnetUrl: tailnet && local?.port ? `${new URL(local.url).protocol}//${tailnet}:${local.port.port}` : null,
    tailnetIPv4: tailnet ?? null,
  };
}

async function listCandidates(context: Context, config: Config): Promise<Candidate[]> {
  const { url: _url, ...others } = context.flags;
  const without = { ...context, flags: others };
  const local = await findGateway(without, { ...config, gateway: { ...config.gateway, mode: "local" } });
  const isRemote = config.gateway.mode === "remote" && config.gateway.remote?.url !== undefined;
  const isNamed = context.flags.url !== undefined;
  return [
    ...(isNamed ? [{ id: "explicit" as const, target: await findGateway(context, config), isActive: true }] : []),
    ...(isRemote
      ? [{ id: "configRemote" as const, target: await findGateway(without, config), isActive: !isNamed }]
      : []),
    { id: "localLoopback", target: local, isActive: !isNamed && !isRemote },
  ];
}

async function ask(context: Context, { id, target, isActive }: Candidate, most: number): Promise<Answer> {
  const { clock } = context;
  const timeoutMs = Math.min(most, budgets[id]);
  const known = { id, kind: id, url: target.url, active: isActive, tunnel: null } as const;
  const startedAt = clock.monotonic();
  try {
    return await withClient(
      context,
      { scopes: ["operator.read"], timeoutMs, mode: "probe", target },
      async (client) => {
        const latencyMs = Math.round(clock.monotonic() - startedAt);
        return { ...known, connect: { ok: true, latencyMs, error: null, close: null }, ...(await look(client, most)) };
      },
    );
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "usage") throw error;
    const connect = { ok: false, latencyMs: null, error: error.message, close: null };
    return { ...known, connect, self: null, config: null, health: null, summary: null, presence: null };
  }
}

async function look(client: GatewayClient, timeoutMs: number) {
  const within = { timeoutMs };
  const [health, summary, presence, config] = await Promise.all([
    client.call("health", {}, within),
    client.call("status", {}, within),
    client.call("system-presence", {}, within),
    client.call("config.get", {}, within),
  ]);
  const own = presence.find(({ mode }) => mode === "gateway");
  const self = own
    ? { host: own.host ?? null, ip: own.ip ?? null, version: own.version ?? null, platform: own.platform ?? null }
    : null;
  return { self, health, summary, presence, config: viewConfig(config) };
}

/** What matters to whoever wants to connect; no secret, only whether there is one. */
function viewConfig(answer: object): object {
  const { config, ...file } = answer as { readonly config?: unknown; readonly [key: string]: unknown };
  const orNull = (value: unknown) => value ?? null;
  const at = (...path: readonly string[]) =>
    path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), config);
  return {
    path: orNull(file["path"]),
    exists: orNull(file["exists"]),
    valid: orNull(file["valid"]),
    issues: file["issues"] ?? [],
    gateway: {
      mode: orNull(at("gateway", "mode")),
      bind: orNull(at("gateway", "bind")),
      port: orNull(at("gateway", "port")),
      controlUiEnabled: orNull(at("gateway", "controlUi", "enabled")),
      authMode: orNull(at("gateway", "auth", "mode")),
      authTokenConfigured: at("gateway", "auth", "token") !== undefined,
      authPasswordConfigured: at("gateway", "auth", "password") !== undefined,
      remoteUrl: orNull(at("gateway", "remote", "url")),
      tailscaleMode: at("gateway", "tailscale", "mode") ?? "off",
    },
    discovery: { wideAreaEnabled: at("discovery", "wideArea", "enabled") === true },
  };
}

const names: Readonly<Record<Kind, string>> = {
  explicit: "--url",
  configRemote: "gateway.remote.url",
  localLoopback: "this machine",
};

function render({ out }: Context, { kind, url, active, connect, self }: Answer): void {
  const who = Object.values(self ?? {}).filter((value) => typeof value === "string");
  const state = connect.ok
    ? `${out.style("green", "reachable")} (${connect.latencyMs} ms)${who.length > 0 ? `, ${cleanText(who.join(", "))}` : ""}`
    : `${out.style("red", "not reachable")}: ${cleanText(connect.error ?? "")}`;
  out.line(`${names[kind]}${active ? " (active)" : ""}: ${url} ${state}`);
}
