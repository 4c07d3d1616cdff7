// Who has the Gateway's port, and whether one Gateway needs a port twice.

import { createRunProcess } from "../../platform/process.ts";
import { findOwnClashes, planPorts, renderClash } from "../../platform/port-plan.ts";
import { readPortUsage, type PortListener } from "../../platform/port-listeners.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

export function createPortsCheck(scene: Scene): DoctorCheck {
  return {
    id: "ports",
    group: "ports",
    label: "ports",
    async run() {
      const config = await scene.config();
      if (config.gateway.mode === "remote") return [];
      const { port, source } = await scene.port();
      const clashes = findOwnClashes(planPorts({ base: port, env: scene.env, config }));
      return [
        ...(await checkPort(scene, `port ${port} (from ${source})`, port)),
        ...clashes.map((clash): DoctorFinding => ({
          id: "ports.twice",
          severity: "error",
          message: `two parts of this Gateway want the same port: ${renderClash(clash)}`,
          next: "give one of them another port in the config",
        })),
      ];
    },
  };
}

async function checkPort(scene: Scene, name: string, port: number): Promise<DoctorFinding[]> {
  const { command, clock, env, platform } = scene;
  const gateway = await scene.gateway();
  if (!("reason" in gateway)) return [];
  const { listeners } = await readPortUsage(port, { env, platform, run: createRunProcess(clock) });
  const owner = await scene.owner();
  // the holder of the state folder: another check tells that it does not answer
  const strangers = listeners.filter(({ pid }) => pid === undefined || pid !== owner?.pid);
  if (strangers.length === 0) return [];
  return [
    {
      id: "ports.busy",
      severity: "error",
      message: `${name} is taken by ${[...new Set(strangers.map(describe))].join(" and ")}`,
      next: `stop that program, or take another port: ${command("config set gateway.port ...")}; ${command("gateway --force")} ends it`,
    },
  ];
}

function describe({ pid, command, user, address }: PortListener): string {
  const facts = [
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(user === undefined ? [] : [`user ${user}`]),
    address,
  ];
  return `${command} (${facts.join(", ")})`;
}
