// What a Gateway must have before it starts: a config that says that it runs here, an address, and a secret.

import { reasonOf } from "../../base/error-code.ts";
import { Fault } from "../../base/fault.ts";
import { createGatewayToken, resolveServerSecret, type GatewaySecret } from "../../config/secret.ts";
import type { ConfigStore } from "../../config/store.ts";
import { adviseWriting, ensureFolder } from "../../platform/files.ts";
import { decidePort } from "../../platform/paths.ts";
import type { Config } from "../../settings/config.ts";
import { decideBindHost } from "../bind-host.ts";
import type { Invocation } from "../commands.ts";
import type { Context } from "../context.ts";
import type { Address } from "./listening.ts";

/** @throws Fault `config_invalid` when the config does not say that a Gateway runs on this machine. */
export function checkMode(config: ConfigStore, { options }: Invocation, command: Context["command"]): void {
  const { mode } = config.current().gateway;
  if (mode === "remote") {
    throw new Fault(
      "config_invalid",
      "Gateway start blocked: set gateway.mode=local (current: remote, a client only)",
      {
        field: "gateway.mode",
        next: `${command("config set gateway.mode local")}, or run the Gateway where gateway.remote.url points`,
      },
    );
  }
  if (mode === "local" || options["allowUnconfigured"] === true) return;
  const { exists, path, rendered } = config.snapshot();
  const problems = rendered.map((line) => `\n  ${line}`).join("");
  throw new Fault(
    "config_invalid",
    exists
      ? `Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.${problems}`
      : `Missing config: ${path}`,
    {
      field: "gateway.mode",
      next: exists
        ? command("config set gateway.mode local")
        : `run ${command("setup")}, or set gateway.mode=local there, or pass --allow-unconfigured`,
    },
  );
}

/** @throws Fault `storage`. */
export async function makeStateFolder({ paths, brand }: Context): Promise<void> {
  try {
    await ensureFolder(paths.state);
  } catch (cause) {
    const next = `${adviseWriting(paths.state, cause)}, or name another one by --profile or ${brand.envPrefix}_STATE_DIR`;
    throw new Fault("storage", `the state folder cannot be made: ${paths.state} (${reasonOf(cause)})`, { cause, next });
  }
}

/** @throws Fault `usage`, `unreachable`. */
export function decideAddress({ env, paths }: Context, { options }: Invocation, { gateway }: Config): Address {
  const given = (name: string) => options[name] as string | undefined;
  const { port } = decidePort({ flag: given("port"), env, configured: gateway.port, profile: paths.profile });
  return { host: decideBindHost({ flag: given("bind"), settings: gateway }), port };
}

/** Every bind needs a secret; the first run makes one. @throws Fault `config_invalid` when a password is wanted and there is none. */
export async function requireSecret(
  context: Context,
  config: Config,
): Promise<{ secret: GatewaySecret; isNew: boolean }> {
  const { flags, env, paths } = context;
  const known = await resolveServerSecret({ flags, config, env, tokenFile: paths.gatewayToken });
  if (known) return { secret: known, isNew: false };
  if (config.gateway.auth.mode === "password") {
    throw new Fault("config_invalid", "gateway auth mode is password, and no password is set", {
      field: "gateway.auth.password",
      next: `set gateway.auth.password or ${context.brand.envPrefix}_GATEWAY_PASSWORD, or pass --password-file`,
    });
  }
  return { secret: await createGatewayToken(paths.gatewayToken, context.ids), isNew: true };
}
