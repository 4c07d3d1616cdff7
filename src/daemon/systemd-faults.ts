// What systemctl says when it fails -> what is really missing: the system itself, the user's bus, the unit, a right (R12).

import { Fault } from "../base/fault.ts";
import type { UnitScope } from "./systemd-unit.ts";

export interface SystemdPlace {
  readonly unit: string;
  readonly scope: UnitScope;
  readonly user: { readonly name: string; readonly uid: number };
  readonly isWsl: boolean;
  readonly isBooted: boolean;
}

type Explanation = readonly [
  pattern: RegExp,
  code: "not_found" | "unreachable" | "forbidden" | "internal",
  what: string,
  next: string,
];

/** The first pattern that fits counts. */
export function explainSystemctl(text: string, place: SystemdPlace): Fault {
  const found = explanations(place).find(([pattern]) => pattern.test(text));
  const line = text.split("\n")[0]?.trim() || "no reason given";
  if (!found)
    return new Fault("unreachable", `systemctl failed: ${line}`, {
      next: `look at: systemctl ${flag(place)}status ${place.unit}`,
    });
  const [, code, what, next] = found;
  return new Fault(code, `${what} (${line})`, { next });
}

const flag = ({ scope }: SystemdPlace) => (scope === "user" ? "--user " : "");

function explanations(place: SystemdPlace): readonly Explanation[] {
  const { unit, user, isWsl, isBooted } = place;
  const systemctl = `systemctl ${flag(place)}`;
  const linger = `sudo loginctl enable-linger ${user.name}`;
  const journal = `look at: journalctl ${flag(place)}-u ${unit} -n 50 --no-pager`;
  return [
    [
      // systemctl blames the bus of the user also where there is no systemd at all
      isBooted ? /not been booted with systemd|Host is down/iu : /booted with systemd|Host is down|connect to .*bus/iu,
      "unreachable",
      "systemd does not run on this machine",
      isWsl
        ? "write systemd=true below [boot] in /etc/wsl.conf, then run wsl --shutdown in Windows"
        : "in a container run the Gateway in the foreground and let the container be restarted",
    ],
    [
      /XDG_RUNTIME_DIR not defined|XDG_RUNTIME_DIR.*not set/iu,
      "unreachable",
      "the session bus of this user is not known: XDG_RUNTIME_DIR is not set, as after su or sudo",
      `log in as ${user.name} itself, or: ${linger} && export XDG_RUNTIME_DIR=/run/user/${user.uid}`,
    ],
    [
      /connect to (?:user scope )?bus.*(?:Operation not permitted|Permission denied)/isu,
      "forbidden",
      "the bus belongs to another user",
      "run it as the user whose service it is, without sudo",
    ],
    [
      /connect to (?:user scope )?bus|Transport endpoint is not connected/iu,
      "unreachable",
      `systemd runs, and its user manager for ${user.name} does not: there is no bus`,
      `${linger}, then log in anew`,
    ],
    [/is masked/iu, "forbidden", `${unit} is masked`, `${systemctl}unmask ${unit}`],
    [
      /bad unit file setting|bad-setting|Invalid argument/iu,
      "internal",
      `systemd does not understand ${unit}`,
      "write it anew: install --force",
    ],
    [
      /(?:could not be found|not found|does not exist|not-found|No such file or directory)/iu,
      "not_found",
      `there is no unit ${unit}`,
      "install it first",
    ],
    [
      /repeated too quickly|start-limit/iu,
      "unreachable",
      `${unit} ended too often, and systemd has given it up`,
      `${journal}; then: ${systemctl}reset-failed ${unit}`,
    ],
    [/Job for .* failed|control process exited/iu, "unreachable", `${unit} does not start`, journal],
    [
      /Access denied|authentication (?:is )?required|Permission denied|Operation not permitted/iu,
      "forbidden",
      "this user may not do that",
      place.scope === "system" ? "type it with sudo" : "run it as the user whose service it is",
    ],
    [
      /Read-only file system/iu,
      "forbidden",
      "systemd cannot write its links: the file system is read-only",
      "on systems with a fixed configuration, declare the service there",
    ],
    [
      /timed out|timeout/iu,
      "unreachable",
      "systemd did not answer in time",
      "try again; if it stays so, look at: journalctl -b -p err",
    ],
  ];
}
