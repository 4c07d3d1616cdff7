// How a stranger is let in: a code that the owner approves. The Gateway and the CLI both use this, on the same database.

import { randomInt } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { Inbound } from "../ports/message.ts";
import { insertOutbox } from "./store/outbox.ts";
import * as store from "./store/pairing.ts";

/** A request not approved within this time is forgotten. */
const requestTtlMs = 60 * 60 * 1000;
/** Further strangers of an account get no code until one of these is approved or expires. */
const maxPending = 3;
/** Without 0, O, 1 and I, which people mix up. */
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const codeLength = 8;

export interface Pairing {
  list(channel?: string): Promise<store.PairingRequest[]>;
  /**
   * Lets the sender in; with `isNotify` a message tells them.
   * @throws Fault `not_found` when no open request has this code.
   */
  approve(approval: { channel: string; code: string; isNotify?: boolean }): Promise<store.PairingRequest>;
}

export function createPairing(dependencies: { database: Database; clock: Clock }): Pairing {
  const { database, clock } = dependencies;
  return {
    list: (channel) =>
      database.write((sql) => {
        store.forgetRequestsBefore(sql, clock.now() - requestTtlMs);
        return store.listRequests(sql, channel);
      }),
    approve: ({ channel, code, isNotify }) =>
      database.write((sql) => {
        const now = clock.now();
        store.forgetRequestsBefore(sql, now - requestTtlMs);
        const request = store.findByCode(sql, channel, code.trim().toUpperCase());
        if (!request) {
          throw new Fault("not_found", `no pending ${channel} request has the code ${code}`, {
            field: "code",
            next: "codes live for one hour; let the sender write again for a new one",
          });
        }
        store.allow(sql, request, now);
        if (isNotify) insertNotice(sql, request, now);
        return request;
      }),
  };
}

function insertNotice(sql: Sql, request: store.PairingRequest, now: number): void {
  insertOutbox(sql, {
    effectKey: `pairing-approved:${request.channel}:${request.account}:${request.senderId}:${request.code}`,
    source: "notice",
    target: { channel: request.channel, account: request.account, chatId: request.chatId },
    payload: { text: "You are approved now. Send your message again." },
    now,
  });
}

export interface PairingText {
  readonly product: string;
  /** The whole command up to the channel: `openclaw pairing approve`. */
  readonly approveCommand: string;
}

/**
 * Notes a stranger's message within the intake's transaction. A new request writes the code to the stranger as an outbox
 * row; a repeated one says nothing.
 * @returns the code, or undefined when too many requests are open already.
 */
export function requestPairing(
  sql: Sql,
  inbound: Inbound,
  options: { now: number; text: PairingText },
): string | undefined {
  const { now, text } = options;
  store.forgetRequestsBefore(sql, now - requestTtlMs);
  const known = store.findRequest(sql, inbound.channel, inbound.account, inbound.sender.id);
  if (known) {
    store.seeAgain(sql, known, now);
    return known.code;
  }
  const waiting = store.listRequests(sql, inbound.channel).filter(({ account }) => account === inbound.account);
  if (waiting.length >= maxPending) return undefined;

  const request: store.PairingRequest = {
    channel: inbound.channel,
    account: inbound.account,
    senderId: inbound.sender.id,
    senderName: inbound.sender.name,
    chatId: inbound.chat.id,
    code: freeCode(sql, inbound.channel),
    createdAt: now,
    lastSeenAt: now,
  };
  store.insertRequest(sql, request);
  insertOutbox(sql, {
    effectKey: `pairing:${request.channel}:${request.account}:${request.senderId}:${request.code}`,
    source: "pairing",
    target: { channel: request.channel, account: request.account, chatId: request.chatId },
    payload: { text: renderRequest(request, text) },
    now,
    trace: inbound.trace,
  });
  return request.code;
}

function renderRequest(request: store.PairingRequest, text: PairingText): string {
  return [
    `${text.product}: you are not approved to chat here yet.`,
    `Your ${request.channel} id: ${request.senderId}`,
    `Pairing code: ${request.code}`,
    "Ask the owner to approve you with:",
    `\`${text.approveCommand} ${request.channel} ${request.code}\``,
  ].join("\n\n");
}

function freeCode(sql: Sql, channel: string): string {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const code = Array.from({ length: codeLength }, () => alphabet[randomInt(alphabet.length)]).join("");
    if (!store.findByCode(sql, channel, code)) return code;
  }
  throw new Fault("internal", "no free pairing code found");
}
