// The service of this Gateway: is its definition as it should be, does it run, and does it outlive the session.

import { auditService } from "../../daemon/audit.ts";
import { planService } from "../../daemon/definition.ts";
import type { Services } from "../../daemon/open.ts";
import { said, currentUser, createTool } from "../../daemon/tool.ts";
import { Fault } from "../../base/fault.ts";
import { createRunProcess } from "../../platform/process.ts";
import type { InstalledDefinition } from "../../daemon/definition.ts";
import type { DoctorCheck, DoctorFinding, Fix } from "../finding.ts";
import type { Scene } from "../scene.ts";

export function createServiceCheck(scene: Scene): DoctorCheck {
  return {
    id: "service",
    group: "service",
    label: "service",
    async run() {
      if ((await scene.config()).gateway.mode === "remote") return [];
      const found = await scene.service();
      if (!found?.installed) return [];
      const { services, installed } = found;
      return [
        ...(await audit(scene, services, installed)),
        ...(await checkRuntime(scene, services)),
        ...(scene.platform === "linux" && services.manager.scope === "user" ? await checkLinger(scene) : []),
        ...(scene.platform === "darwin" ? await checkOverrides(scene) : []),
      ];
    },
  };
}

async function audit(scene: Scene, services: Services, installed: InstalledDefinition): Promise<DoctorFinding[]> {
  const { platform, command } = scene;
  const issues = await auditService(installed, { kind: "gateway", platform, launcher: await scene.launcher() });
  const isUser = services.manager.scope === "user";
  return issues.map(({ code, message, level }) => ({
    id: `service.${code}`,
    severity: code === "gateway-program-missing" ? "error" : "warning",
    message: `${services.manager.name}: ${message}`,
    next: isUser ? command("gateway install --force") : `change ${installed.path} with sudo`,
    ...(isUser ? { fix: reinstall(scene, services, level === "aggressive" ? "forced" : "asked") } : {}),
  }));
}

/** The definition that an install would write now, with the port and the words that the old one has. */
function reinstall(scene: Scene, services: Services, risk: Fix["risk"]): Fix {
  return {
    title: `write ${services.manager.name} anew and start it`,
    risk,
    async steps() {
      const installed = await services.manager.read();
      if (!installed) return [];
      const definition = await planAgain(scene, services, installed);
      const text = services.manager.render(definition);
      if (text === installed.text) return [];
      return [
        {
          kind: "act",
          lines: [`writes ${installed.path}`, ...describe(installed, definition.program)],
          touches: [installed.path],
          undoHint: `its file is as it was; to run by it again: ${scene.command("gateway restart")}, on Linux after systemctl --user daemon-reload`,
          run: () => services.manager.install(definition),
        },
      ];
    },
  };
}

async function planAgain(scene: Scene, { names }: Services, installed: InstalledDefinition) {
  const { brand, version, env, paths, platform, home } = scene;
  const at = installed.program.indexOf("--port");
  const written = at === -1 ? undefined : Number(installed.program[at + 1]);
  const isPort = written !== undefined && Number.isInteger(written) && written > 0 && written <= 65_535;
  const port = isPort ? written : (await scene.port()).port;
  const isOpen = installed.program.includes("--allow-unconfigured");
  return planService({
    brand,
    version,
    env,
    paths,
    names,
    kind: "gateway",
    platform,
    home,
    launcher: await scene.launcher(),
    args: ["gateway", "--port", String(port), ...(isOpen ? ["--allow-unconfigured"] : [])],
    profile: scene.profile,
    port,
  });
}

function describe(installed: InstalledDefinition, program: readonly string[]): string[] {
  const was = installed.program.join(" ");
  const willBe = program.join(" ");
  return was === willBe
    ? ["its settings become those of this version"]
    : [`- it runs ${was || "nothing"}`, `+ it runs ${willBe}`];
}

async function checkRuntime({ command }: Scene, { manager }: Services): Promise<DoctorFinding[]> {
  const { isLoaded, runtime } = await manager.status();
  const found: DoctorFinding[] = [];
  if (runtime.status === "unknown")
    return [
      {
        id: "service.unknown",
        severity: "warning",
        message: `${manager.label} does not tell how ${manager.name} is: ${runtime.detail ?? "no reason given"}`,
        next: runtime.next ?? command("gateway status"),
      },
    ];
  if (!isLoaded)
    found.push({
      id: "service.disabled",
      severity: "warning",
      message: `${manager.name} is ${manager.notLoadedText}: it does not start by itself`,
      next: command("gateway install --force"),
    });
  if (runtime.status === "stopped")
    found.push({
      id: "service.stopped",
      severity: runtime.state === "failed" ? "error" : "warning",
      message: `${manager.name} does not run${runtime.lastExitStatus === undefined ? "" : ` (last exit ${runtime.lastExitStatus})`}`,
      next: `${command("gateway start")}; its output: ${manager.logsCommand}`,
    });
  return found;
}

async function checkLinger(scene: Scene): Promise<DoctorFinding[]> {
  const loginctl = createTool("loginctl", { env: scene.env, run: createRunProcess(scene.clock) });
  const { name } = currentUser();
  const shown = await loginctl("show-user", name, "-p", "Linger").catch((error: unknown) => {
    if (error instanceof Fault) return undefined;
    throw error;
  });
  if (shown === undefined || !/^Linger=no$/mu.test(shown.stdout)) return [];
  return [
    {
      id: "service.linger",
      severity: "warning",
      message: `the service ends when ${name} logs out: the user does not linger`,
      next: `sudo loginctl enable-linger ${name}`,
      fix: {
        title: `let ${name} linger`,
        risk: "asked",
        steps: async () => [
          {
            kind: "act",
            lines: [`loginctl enable-linger ${name}`],
            touches: [],
            undoHint: `lingering stays on; to end it: loginctl disable-linger ${name}`,
            async run() {
              const result = await loginctl("enable-linger", name);
              if (result.exitCode === 0) return [];
              throw new Fault("forbidden", `lingering was refused: ${said(result).split("\n")[0] ?? ""}`, {
                next: `sudo loginctl enable-linger ${name}`,
              });
            },
          },
        ],
      },
    },
  ];
}

/** launchd hands these to every agent of the user: they go before what the config says. */
async function checkOverrides(scene: Scene): Promise<DoctorFinding[]> {
  const launchctl = createTool("launchctl", { env: scene.env, run: createRunProcess(scene.clock) });
  const prefixes = [scene.brand.envPrefix, scene.brand.fallbackEnvPrefix];
  const names = prefixes.flatMap((prefix) => [`${prefix}_GATEWAY_TOKEN`, `${prefix}_GATEWAY_PASSWORD`]);
  const shown = await Promise.all(
    names.map(async (name) => {
      const result = await launchctl("getenv", name).catch(() => undefined);
      return result?.stdout.trim() ? [name] : [];
    }),
  );
  return shown.flat().map((name) => ({
    id: "service.override",
    severity: "warning",
    message: `launchd hands ${name} to every service of this user`,
    next: `launchctl unsetenv ${name}`,
  }));
}
