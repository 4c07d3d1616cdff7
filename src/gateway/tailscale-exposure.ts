// `gateway.tailscale.mode`: the port on the tailnet (serve) or on the internet (funnel), by the tailscale program. It never widens
// what the Gateway listens on, and what it cannot do is told in health.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Config } from "../settings/config.ts";
import { exposureService } from "./reloading.ts";

const timeoutMs = 15_000;
const appProgram = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

type GatewayConfig = Pick<Config["gateway"], "bind" | "tailscale" | "tls">;

/** @throws Fault `config_invalid` for what must not be exposed in this way. */
export function checkExposure({ tailscale, bind = "loopback" }: GatewayConfig, secretMode: "token" | "password"): void {
  const { mode = "off" } = tailscale ?? {};
  if (mode === "off") return;
  if (bind !== "loopback" && bind !== "auto") {
    throw new Fault("config_invalid", `tailscale ${mode} requires gateway.bind loopback, and it is ${bind}`, {
      field: "gateway.bind",
      next: "set gateway.bind to loopback, or gateway.tailscale.mode to off",
    });
  }
  if (mode === "funnel" && secretMode !== "password") {
    throw new Fault("config_invalid", "tailscale funnel requires a password: the whole internet can reach it", {
      field: "gateway.auth.mode",
      next: "set gateway.auth.mode to password and a password, or use serve",
    });
  }
}

export interface ExposureDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly gateway: () => GatewayConfig;
  readonly secretMode: () => "token" | "password";
  readonly port: () => number;
  readonly path: () => string;
}

export function createExposure(dependencies: ExposureDependencies): Service {
  const { log, gateway } = dependencies;
  let exposed: { readonly mode: "serve" | "funnel"; readonly isUndone: boolean } | undefined;
  return {
    name: exposureService,
    async start() {
      checkExposure(gateway(), dependencies.secretMode());
      const { mode = "off", resetOnExit = false } = gateway().tailscale ?? {};
      if (mode === "off") return;
      const port = dependencies.port();
      // the certificate is the Gateway's own, and the way to it does not leave the machine
      const target = gateway().tls?.enabled === true ? `https+insecure://127.0.0.1:${port}` : String(port);
      await runTailscale([mode, "--bg", "--yes", target], dependencies);
      exposed = { mode, isUndone: resetOnExit };
      log.info(`tailscale ${mode} leads to port ${port}`);
    },
    async stop() {
      if (!exposed?.isUndone) return;
      const { mode } = exposed;
      exposed = undefined;
      await runTailscale([mode, "reset"], dependencies);
      log.info(`tailscale ${mode} is undone`);
    },
  };
}

/** As this user, and where that is not allowed, as root without asking. @throws Fault with its words. */
async function runTailscale(args: readonly string[], { clock, path }: ExposureDependencies): Promise<void> {
  const { createRunProcess, findProgram } = await import("../platform/process.ts");
  const find = (name: string) => findProgram(name, { path: path(), cwd: "/" });
  const program = (await find("tailscale")) ?? (await find(appProgram));
  if (program === undefined) {
    throw new Fault("not_found", "tailscale was not found on this machine", {
      next: "install Tailscale, or set gateway.tailscale.mode to off",
    });
  }
  const run = (argv: readonly [string, ...string[]], at: string) =>
    createRunProcess(clock)({ program: at, argv, env: { PATH: path() }, timeoutMs, maxOutputBytes: 64 * 1024 });
  let ran = await run(["tailscale", ...args], program);
  const sudo = /permission|access denied|operator/iu.test(ran.stderr) ? await find("sudo") : undefined;
  if (ran.exitCode !== 0 && sudo !== undefined) ran = await run(["sudo", "-n", program, ...args], sudo);
  if (ran.exitCode === 0) return;
  const words = ran.isTimedOut ? `no answer within ${timeoutMs / 1000} s` : ran.stderr.trim().split("\n")[0];
  throw new Fault("unreachable", `tailscale ${args.join(" ")}: ${words || `ended with ${ran.exitCode}`}`, {
    next: "run the same command by hand to see what it lacks",
  });
}
