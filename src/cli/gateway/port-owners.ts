// Who listens on a port, told apart: a Gateway (this one, another) or a stranger; and what to do about each.

import { renderInstance } from "../../platform/instance-conflicts.ts";
import type { Instance } from "../../platform/instances.ts";
import type { PortListener } from "../../platform/port-listeners.ts";
import { cleanText } from "../render/text.ts";

export interface PortOwner {
  /** One of its addresses; the others are beside it. */
  readonly listener: PortListener;
  readonly addresses: readonly string[];
  readonly kind: "gateway" | "foreign";
  /** What it told of itself; absent for strangers and for Gateways that told nothing. */
  readonly instance?: Instance;
}

/** One for each process. */
export function findOwners(listeners: readonly PortListener[], instances: readonly Instance[]): PortOwner[] {
  const owners: PortOwner[] = [];
  for (const listener of listeners) {
    const known = owners.findIndex(({ listener: { pid } }) => pid !== undefined && pid === listener.pid);
    const before = owners[known];
    if (before) {
      owners[known] = { ...before, addresses: [...before.addresses, listener.address] };
      continue;
    }
    const instance = instances.find(({ pid }) => pid === listener.pid);
    owners.push({
      listener,
      addresses: [listener.address],
      kind: instance || looksLikeGateway(listener) ? "gateway" : "foreign",
      ...(instance ? { instance } : {}),
    });
  }
  return owners;
}

/** By the way it was started: one that could not write its file, of another user, or of an older version. */
export function looksLikeGateway({ commandLine = "", command }: PortListener): boolean {
  const isOurProgram = /(?:openclaw|moltbot|clawdbot)[^\s/]*(?:\s|$)/iu.test(commandLine);
  return (
    (isOurProgram && /\sgateway(?:\s|$)/u.test(commandLine)) || /^(?:openclaw|moltbot|clawdbot)-gatewa/u.test(command)
  );
}

/** `node server.js (pid 7, user ann)`. */
export function renderOwner({ listener, instance }: PortOwner): string {
  const { pid, user } = listener;
  const name = renderCommand(listener);
  const facts = [
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(user === undefined ? [] : [`user ${cleanText(user)}`]),
    ...(instance?.profile === undefined ? [] : [`profile ${instance.profile}`]),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(", ")})`;
}

const maxLength = 120;

/** Its command line, on one line and not too long a one; else its name. */
export function renderCommand({
  command,
  commandLine = command,
}: Pick<PortListener, "command" | "commandLine">): string {
  const text = cleanText(commandLine).replaceAll(/\s+/gu, " ");
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

export interface HintOptions {
  readonly command: (words: string) => string;
  /** The state folder of whoever asks. */
  readonly state: string;
}

/** What to do about a port that is taken, for who wants to start there. One line each. */
export function listHints(owners: readonly PortOwner[], { command, state }: HintOptions): string[] {
  if (owners.length === 0) return [];
  const hints = owners.map((owner) => hintFor(owner, { command, state }));
  if (owners.length > 1)
    hints.push("several processes listen on this port: which of them answers depends on the address");
  hints.push(`${command("gateway --force")} ends whoever listens there, and starts`);
  hints.push(`${command("gateway --port <port>")} takes another port`);
  return [...new Set(hints)];
}

function hintFor({ listener, kind, instance }: PortOwner, { command, state }: HintOptions): string {
  if (kind === "foreign") return "a program that is no Gateway has this port: stop it, unless you need it";
  if (!instance) return `a Gateway has this port: ${command("gateway stop")} stops it where it is a service`;
  const isOwn = instance.state === state;
  const whose = isOwn ? "the Gateway of this profile" : renderInstance(instance);
  if (!instance.isService)
    return `${whose} has this port: stop it where it was started, or by kill ${listener.pid ?? ""}`;
  const profile = instance.profile === undefined ? "" : ` --profile ${instance.profile}`;
  const stop = isOwn ? command("gateway stop") : `${instance.brand}${profile} gateway stop`;
  return `${whose} has this port: stop its service with ${stop}`;
}

/** For who has ended it and finds it there again. */
export const renderComeback = (command: (words: string) => string) =>
  `something starts it again; where that is a service, ${command("gateway stop")} stops it for good`;
