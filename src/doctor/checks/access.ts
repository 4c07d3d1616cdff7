// Which secret each side uses, and whether it is the same one: the Gateway, its service and the command line look in their own
// orders (R13). Secrets show as fingerprints only.

import { dirname } from "node:path";

import { resolveClientSecret, resolveServerSecret, type GatewaySecret } from "../../config/secret.ts";
import { readTextIfExists } from "../../platform/files.ts";
import { createEnv } from "../../platform/env.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids } from "../../base/ids.ts";
import { isLoopbackBind } from "../bind.ts";
import { fingerprint } from "../fingerprint.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

/** Shorter ones can be guessed. */
const leastLength = 24;

export function createAccessCheck(scene: Scene, ids: Ids): DoctorCheck {
  return {
    id: "access",
    group: "access",
    label: "tokens",
    async run() {
      const config = await scene.config();
      const { env, paths } = scene;
      const sources = { flags: {}, config, env, tokenFile: paths.gatewayToken };
      try {
        const [server, client] = await Promise.all([resolveServerSecret(sources), resolveClientSecret(sources)]);
        const isRemote = config.gateway.mode === "remote";
        return [
          ...(isRemote || server ? [] : [missing(scene, config.gateway.auth.mode, ids)]),
          ...(isRemote ? [] : compare(["the Gateway", server], client)),
          ...(isRemote ? [] : await compareFile(scene, server)),
          ...(isRemote ? [] : await compareService(scene, client)),
          ...(server ? checkLength(server) : []),
          ...checkExposure(config, server),
          ...checkHooks(config, server),
        ];
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        const id = error.code === "storage" ? "access.unreadable" : "access.blank";
        return [{ id, severity: "error", message: error.message, next: error.next ?? "give it a value" }];
      }
    },
  };
}

const show = ({ mode, value, source }: GatewaySecret) => `the ${mode} of ${source} (${fingerprint(value)})`;

function missing({ paths, command }: Scene, mode: string | undefined, ids: Ids): DoctorFinding {
  if (mode === "password") {
    const message = "gateway.auth.mode is password and no password is set: the Gateway does not start";
    return { id: "access.missing", severity: "error", message, next: command("config set gateway.auth.password ...") };
  }
  return {
    id: "access.missing",
    severity: "info",
    message: "no token is set; the first start of the Gateway makes one",
    next: command("doctor --generate-gateway-token"),
    fix: {
      title: `make a token in ${paths.gatewayToken}`,
      risk: "asked",
      async steps() {
        // one that came up meanwhile stays
        const before = await readTextIfExists(paths.gatewayToken);
        if (before !== undefined && before.trim() !== "") return [];
        const text = `${ids.secret(24)}\n`;
        return [{ kind: "write", path: paths.gatewayToken, before, after: text, isSecret: true }];
      },
    },
  };
}

function compare(
  [one, mine]: readonly [side: string, secret: GatewaySecret | undefined],
  theirs: GatewaySecret | undefined,
): DoctorFinding[] {
  if (!mine || !theirs || (mine.value === theirs.value && mine.mode === theirs.mode)) return [];
  return [
    {
      id: "access.drift",
      severity: "error",
      message: `${one} takes ${show(mine)}, this command line sends ${show(theirs)}: it is turned away`,
      next: `unset ${theirs.source}, or make both the same`,
    },
  ];
}

/** A token file that nobody uses any more misleads whoever looks into it. */
async function compareFile({ paths }: Scene, server: GatewaySecret | undefined): Promise<DoctorFinding[]> {
  const kept = (await readTextIfExists(paths.gatewayToken).catch(() => undefined))?.trim();
  if (!kept || !server || server.source === paths.gatewayToken || server.value === kept) return [];
  return [
    {
      id: "access.unused-file",
      severity: "info",
      message: `${paths.gatewayToken} (${fingerprint(kept)}) is not in use: the Gateway takes ${show(server)}`,
      next: "nothing, or remove that file",
    },
  ];
}

/** The service has its own environment, and mostly another than this shell. */
async function compareService(scene: Scene, client: GatewaySecret | undefined): Promise<DoctorFinding[]> {
  const service = await scene.service();
  if (!service?.installed) return [];
  const env = createEnv(scene.brand, service.installed.environment);
  const config = await scene.config();
  const theirs = await resolveServerSecret({ flags: {}, config, env, tokenFile: scene.paths.gatewayToken });
  const own = env.get("CONFIG_PATH") ?? scene.paths.config;
  // another config is another Gateway's: gateway status tells of both
  if (own !== scene.paths.config || dirname(scene.paths.gatewayToken) !== scene.paths.credentials) return [];
  return compare(["the service", theirs], client);
}

function checkLength({ mode, value, source }: GatewaySecret): DoctorFinding[] {
  if (mode !== "token" || value.length >= leastLength) return [];
  return [
    {
      id: "access.short",
      severity: "warning",
      message: `the token of ${source} has ${value.length} characters: it can be guessed`,
      next: `use ${leastLength} or more; openssl rand -hex 24 makes a good one`,
    },
  ];
}

function checkExposure(
  { gateway }: Awaited<ReturnType<Scene["config"]>>,
  server: GatewaySecret | undefined,
): DoctorFinding[] {
  const { controlUi, tailscale, bind } = gateway;
  const found: DoctorFinding[] = [];
  if (controlUi.allowInsecureAuth === true)
    found.push({
      id: "access.insecure-ui",
      severity: "warning",
      message: "gateway.controlUi.allowInsecureAuth lets browsers in without a key of their own",
      next: "take it out once the page comes over HTTPS or from this machine",
    });
  if (tailscale?.mode === "funnel")
    found.push({
      id: "access.funnel",
      severity: server?.mode === "password" ? "warning" : "error",
      message: "gateway.tailscale.mode is funnel: the whole internet reaches the Gateway",
      next: "use serve, which only your tailnet reaches",
    });
  if (!isLoopbackBind(bind) && (tailscale?.mode === "serve" || tailscale?.mode === "funnel"))
    found.push({
      id: "access.tailscale-bind",
      severity: "error",
      message: `gateway.tailscale needs gateway.bind loopback, which is ${bind}`,
      next: "set gateway.bind to loopback",
    });
  return found;
}

/** Programs elsewhere know the webhooks' token: it opens nothing else, and is as hard to guess. */
function checkHooks(
  { hooks, logging }: Awaited<ReturnType<Scene["config"]>>,
  server: GatewaySecret | undefined,
): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const token = hooks?.enabled === true ? hooks.token : undefined;
  if (token !== undefined && token === server?.value)
    found.push({
      id: "access.hooks-reuse",
      severity: "warning",
      message: "hooks.token is the Gateway's own secret: whoever may call a webhook may do everything",
      next: "give hooks.token a value of its own",
    });
  else if (token !== undefined && token.length < leastLength)
    found.push({
      id: "access.hooks-short",
      severity: "warning",
      message: `hooks.token has ${token.length} characters: it can be guessed`,
      next: `use ${leastLength} or more; openssl rand -hex 24 makes a good one`,
    });
  if (logging.redactSensitive === "off")
    found.push({
      id: "access.redact",
      severity: "warning",
      message: "logging.redactSensitive is off: secrets in the output of tools reach the log",
      next: "take it out of the config",
    });
  return found;
}
