// What an older program kept in files and this one keeps elsewhere: people who were let in, keys of models, conversations,
// devices. The old files are read and never changed.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { isRecord, parseJson } from "../../base/json.ts";
import { changeText } from "../../config/edit.ts";
import { readAt, setAt } from "../../config/path.ts";
import type { AllowedSender } from "../../conversation/import.ts";
import { readTextIfExists } from "../../platform/files.ts";
import { lookAtImport, withImport } from "../database.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import { listOlderSessions, readOlderSession, type ListedSession } from "../older-sessions.ts";
import type { Scene } from "../scene.ts";

export function createOlderStateCheck(scene: Scene): DoctorCheck {
  return {
    id: "older-state",
    group: "older",
    label: "what older programs kept",
    async run() {
      const agents = await listAgents(scene);
      return [
        ...(await checkPeople(scene)),
        ...(await checkKeys(scene, agents)),
        ...(await checkSessions(scene, agents)),
        ...(await checkDevices(scene)),
      ];
    },
  };
}

async function listAgents({ paths }: Scene): Promise<string[]> {
  const entries = await readdir(join(paths.state, "agents"), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

const readJson = async (path: string) => parseJson((await readTextIfExists(path).catch(() => undefined)) ?? "");

/** Ids of `<channel>-allowFrom.json` and `<channel>-<account>-allowFrom.json`; names and `*` are left out. */
async function checkPeople(scene: Scene): Promise<DoctorFinding[]> {
  const { paths } = scene;
  const found: DoctorFinding[] = [];
  for (const name of await readdir(paths.credentials).catch(() => [])) {
    const [, channel, account = "default"] = /^(telegram|whatsapp)(?:-([\w-]+))?-allowFrom\.json$/u.exec(name) ?? [];
    if (channel === undefined) continue;
    const file = join(paths.credentials, name);
    const stored = await readJson(file);
    const list = isRecord(stored) && Array.isArray(stored["allowFrom"]) ? (stored["allowFrom"] as unknown[]) : [];
    const ids = list.map((id) =>
      String(id)
        .replace(/^(?:telegram|tg|whatsapp):/u, "")
        .trim(),
    );
    const senders = [...new Set(ids)]
      .filter((id) => /^\+?\d+$/u.test(id))
      .map((senderId) => ({ channel, account, senderId }));
    const strangers = (await lookAtImport(paths.database, (imports) => imports.strangers(senders))) ?? senders;
    if (strangers.length > 0) found.push(describePeople(file, strangers, scene));
  }
  return found;
}

function describePeople(file: string, senders: readonly AllowedSender[], scene: Scene): DoctorFinding {
  const ids = senders.map(({ senderId }) => senderId).join(", ");
  const [{ channel } = { channel: "" }] = senders;
  return {
    id: "older.people",
    severity: "warning",
    message: `${senders.length} people that an older program let in on ${channel} have to ask again (${file})`,
    next: "doctor --fix lets them in",
    fix: {
      title: `let in on ${channel} whom the older program had let in`,
      risk: "asked",
      steps: async () => [
        {
          kind: "act",
          lines: [`+ ${ids}`],
          touches: [],
          adds: { senders },
          async run() {
            await withImport(scene, (imports) => imports.letIn(senders, scene.clock.now()));
            return [];
          },
        },
      ],
    },
  };
}

/** Keys of providers in `auth-profiles.json`, where the config and the environment have none. */
async function checkKeys(scene: Scene, agents: readonly string[]): Promise<DoctorFinding[]> {
  const { paths, env } = scene;
  const config = await scene.config();
  const found: DoctorFinding[] = [];
  const known = new Set<string>();
  for (const agent of agents) {
    const file = join(paths.state, "agents", agent, "agent", "auth-profiles.json");
    const stored = await readJson(file);
    const profiles = isRecord(stored) && isRecord(stored["profiles"]) ? Object.values(stored["profiles"]) : [];
    for (const profile of profiles) {
      const { provider, key, isOther } = readProfile(profile);
      if (provider === undefined || known.has(provider)) continue;
      const variable = `${provider.toUpperCase().replaceAll(/[^A-Z0-9]/gu, "_")}_API_KEY`;
      if (config.models.providers[provider]?.apiKey !== undefined || env.raw(variable) !== undefined) continue;
      if (key === undefined && !isOther) continue;
      known.add(provider);
      found.push(describeKey(file, provider, key));
    }
  }
  return found;
}

function readProfile(profile: unknown): { provider?: string; key?: string; isOther?: boolean } {
  if (!isRecord(profile) || typeof profile["provider"] !== "string" || !/^[\w.-]{1,64}$/u.test(profile["provider"]))
    return {};
  const { provider, type, key } = profile;
  if (type === "api_key" && typeof key === "string" && key.trim() !== "") return { provider, key: key.trim() };
  return { provider, isOther: type === "oauth" || type === "token" };
}

function describeKey(file: string, provider: string, key: string | undefined): DoctorFinding {
  const place = ["models", "providers", provider, "apiKey"];
  if (key === undefined)
    return {
      id: "older.login",
      severity: "info",
      message: `an older program had a login of ${provider}, which this one does not use (${file})`,
      next: `make an API key there, and set ${place.join(".")}`,
    };
  return {
    id: "older.key",
    severity: "warning",
    message: `the key of ${provider} is in a file of an older program (${file})`,
    next: `doctor --fix copies it to ${place.join(".")}`,
    fix: {
      title: `copy the key of ${provider} to ${place.join(".")}`,
      risk: "asked",
      steps: async () => [
        {
          kind: "config",
          change: (text, value) =>
            readAt(value, place) === undefined ? changeText(text, value, setAt(value, place, key)) : undefined,
        },
      ],
    },
  };
}

async function checkSessions(scene: Scene, agents: readonly string[]): Promise<DoctorFinding[]> {
  const { paths } = scene;
  const all: ListedSession[] = [];
  for (const agent of agents)
    all.push(...(await listOlderSessions(join(paths.state, "agents", agent, "sessions"), agent)));
  // releases before agents had folders
  all.push(...(await listOlderSessions(join(paths.state, "sessions"), "main")));
  const fresh =
    (await lookAtImport(paths.database, async (imports) => {
      const isNew = await Promise.all(all.map((session) => imports.isNew(session)));
      return all.filter((_, index) => isNew[index]);
    })) ?? all;
  if (fresh.length === 0) return [];
  return [
    {
      id: "older.sessions",
      severity: "warning",
      message: `${fresh.length} conversations of an older program are in files that this one does not read`,
      next: "doctor --fix copies what was said in them; calls of tools stay in the files",
      fix: {
        title: `copy ${fresh.length} conversations into the database`,
        risk: "asked",
        steps: async () => {
          const sessions = await Promise.all(fresh.map(readOlderSession));
          return [
            {
              kind: "act",
              lines: sessions.map(({ key, messages }) => `+ ${key} (${messages.length} messages)`),
              touches: [],
              adds: { sessions: sessions.map(({ sessionId, messages }) => ({ sessionId, messages: messages.length })) },
              async run() {
                await withImport(scene, (imports) => imports.takeSessions(sessions));
                return [];
              },
            },
          ];
        },
      },
    },
  ];
}

/** Their tokens are made by another program: nothing of them can be taken over. */
async function checkDevices({ paths, command }: Scene): Promise<DoctorFinding[]> {
  const counts = await Promise.all(
    ["devices", "nodes"].map(async (folder) => {
      const stored = await readJson(join(paths.state, folder, "paired.json"));
      return isRecord(stored) ? Object.keys(stored).length : 0;
    }),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  return [
    {
      id: "older.devices",
      severity: "info",
      message: `${total} devices and nodes were paired with an older program, and are not with this one`,
      next: `let each connect once, then ${command("devices approve")}`,
    },
  ];
}
