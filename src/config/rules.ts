// Rules of the config that look at more than one key: a schema cannot say them. Called by parse once the schema is satisfied.

import { toAccountId } from "../base/ids.ts";
import type { Config } from "../settings/config.ts";
import type { ConfigProblem, Place } from "./explain.ts";

export function checkRules(config: Config, at: Place): ConfigProblem[] {
  return [
    ...checkOpenChannels(config, at),
    ...checkAccounts(config, at),
    ...checkSecrets(config, at),
    ...checkAgents(config, at),
  ];
}

/** Letting everybody in is said twice, so that one slip of the pen does not do it. */
function checkOpenChannels({ channels }: Config, at: Place): ConfigProblem[] {
  return (["telegram", "whatsapp"] as const).flatMap((name) => {
    const channel = channels[name];
    if (!channel) return [];
    const sections = [
      { path: ["channels", name], policy: channel.dmPolicy, allowFrom: channel.allowFrom },
      ...Object.entries(channel.accounts ?? {}).map(([id, account]) => ({
        path: ["channels", name, "accounts", id],
        policy: account.dmPolicy ?? channel.dmPolicy,
        allowFrom: account.allowFrom ?? channel.allowFrom,
      })),
    ];
    return sections
      .filter(({ policy, allowFrom }) => policy === "open" && !allowFrom.includes("*"))
      .map(({ path }) =>
        at([...path, "dmPolicy"], 'open needs "*" in allowFrom', 'add allowFrom: ["*"], or use pairing'),
      );
  });
}

/** Two accounts that are one to every other part of the program. */
function checkAccounts({ channels }: Config, at: Place): ConfigProblem[] {
  return (["telegram", "whatsapp"] as const).flatMap((name) => {
    const seen = new Map<string, string>();
    return Object.keys(channels[name]?.accounts ?? {}).flatMap((key) => {
      const id = toAccountId(key);
      const other = seen.get(id);
      seen.set(id, key);
      if (other === undefined) return [];
      const path = ["channels", name, "accounts", key];
      return [at(path, `the same account as ${other}: both are called ${id}`, "choose another name, or join the two")];
    });
  });
}

function checkSecrets({ gateway }: Config, at: Place): ConfigProblem[] {
  const secrets = [
    { path: ["gateway", "auth", "token"], value: gateway.auth.token },
    { path: ["gateway", "auth", "password"], value: gateway.auth.password },
    { path: ["gateway", "remote", "token"], value: gateway.remote?.token },
    { path: ["gateway", "remote", "password"], value: gateway.remote?.password },
  ];
  return secrets
    .filter(({ value }) => value?.trim() === "")
    .map(({ path }) => at(path, "must not be blank", "set it, or remove the key"));
}

/** Two agents of one name, or in one folder, would overwrite each other. */
function checkAgents({ agents }: Config, at: Place): ConfigProblem[] {
  return (["id", "agentDir"] as const).flatMap((key) => {
    const seen = new Set<string>();
    return agents.list.flatMap((agent, index) => {
      const value = key === "id" ? agent.id.toLowerCase() : agent[key];
      if (value === undefined) return [];
      if (seen.has(value)) {
        return [at(["agents", "list", String(index), key], `another agent has the same ${key}`, "choose another one")];
      }
      seen.add(value);
      return [];
    });
  });
}
