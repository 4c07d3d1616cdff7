// Pairing of nodes: a request, a person's decision, a token that is shown once.

import { createHash, timingSafeEqual } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { Publish } from "../ports/publish.ts";
import * as store from "./store/nodes.ts";

/** A request not decided within this time is forgotten. */
export const requestTtlMs = 5 * 60 * 1000;
/** Further nodes cannot ask until one of these is decided or forgotten. */
export const maxPending = 100;

/** Stands before every comparison of a token (S8). */
export interface Attempts {
  /** Ms to wait; 0 when the source may try. */
  waitMs(source: string): number;
  fail(source: string): void;
}

export interface NodePairing {
  request(ask: { nodeId: string; profile: store.NodeRequest["profile"] }): Promise<{
    request: store.NodeRequest;
    /** False when one was open already. */
    isNew: boolean;
  }>;
  list(): Promise<{ pending: store.NodeRequest[]; paired: store.NodeRow[] }>;
  /** @throws Fault `not_found` for an unknown request. The token is not kept and never shown again. */
  approve(requestId: string): Promise<{ node: store.NodeRow; token: string }>;
  /** @throws Fault `not_found` */
  reject(requestId: string): Promise<store.NodeRequest>;
  /** @returns the node when this is its token. @throws Fault `overloaded` after too many wrong ones from `source`. */
  verify(claim: { nodeId: string; token: string; source: string }): Promise<store.NodeRow | undefined>;
  /** @returns false when nothing was known of it. */
  remove(nodeId: string): Promise<boolean>;
  /** @throws Fault `not_found` */
  rename(nodeId: string, name: string): Promise<void>;
}

export interface NodePairingDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: Publish;
  readonly attempts: Attempts;
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

export function createNodePairing(dependencies: NodePairingDependencies): NodePairing {
  const { database, clock, ids, publish, attempts } = dependencies;
  const forgetOld = (sql: Sql) => store.forgetRequestsBefore(sql, clock.now() - requestTtlMs);
  const announce = ({ requestId, nodeId }: store.NodeRequest, decision: "approved" | "rejected") =>
    publish("node.pair.resolved", { requestId, nodeId, decision, ts: clock.now() });

  return {
    async request({ nodeId, profile }) {
      const asked = await database.write((sql) => {
        forgetOld(sql);
        const open = store.findRequestOf(sql, nodeId);
        if (open) return { request: open, isNew: false };
        if (store.listRequests(sql).length >= maxPending) throw tooMany();
        const isRepair = store.findNode(sql, nodeId)?.tokenHash !== undefined;
        const request = { requestId: ids.uuid(), nodeId, profile, isRepair, createdAt: clock.now() };
        store.insertRequest(sql, request);
        return { request, isNew: true };
      });
      if (asked.isNew) publish("node.pair.requested", describeRequest(asked.request));
      return asked;
    },
    list: () =>
      database.write((sql) => {
        forgetOld(sql);
        return {
          pending: store.listRequests(sql),
          paired: store.listNodes(sql).filter((node) => node.approvedAt !== undefined),
        };
      }),
    async approve(requestId) {
      const token = ids.secret(16);
      const { request, node } = await database.write((sql) => {
        forgetOld(sql);
        const open = findOpen(sql, requestId);
        store.approveNode(sql, { ...open, tokenHash: digest(token) }, clock.now());
        store.deleteRequest(sql, requestId);
        return { request: open, node: findKnown(sql, open.nodeId) };
      });
      announce(request, "approved");
      return { node, token };
    },
    async reject(requestId) {
      const request = await database.write((sql) => {
        forgetOld(sql);
        const open = findOpen(sql, requestId);
        store.deleteRequest(sql, requestId);
        return open;
      });
      announce(request, "rejected");
      return request;
    },
    async verify({ nodeId, token, source }) {
      const waitMs = attempts.waitMs(source);
      if (waitMs > 0) throw new Fault("overloaded", "too many wrong tokens", { retryAfterMs: waitMs });
      const node = await database.read((sql) => store.findNode(sql, nodeId));
      const expected = node?.tokenHash ?? digest("no node has this");
      const isRight = timingSafeEqual(Buffer.from(digest(token)), Buffer.from(expected));
      if (isRight && node?.tokenHash !== undefined) return node;
      attempts.fail(source);
      return undefined;
    },
    remove: (nodeId) => database.write((sql) => store.deleteNode(sql, nodeId)),
    rename: (nodeId, name) =>
      database.write((sql) => {
        if (!store.renameNode(sql, nodeId, name)) throw unknownNode();
      }),
  };
}

/** As the wire has it. */
export function describeRequest({ requestId, nodeId, profile, isRepair, createdAt }: store.NodeRequest) {
  return { requestId, nodeId, ...profile, isRepair, ts: createdAt };
}

export function unknownNode(): Fault {
  return new Fault("not_found", "unknown nodeId", { field: "nodeId", next: "look for it with node.list" });
}

function findOpen(sql: Sql, requestId: string): store.NodeRequest {
  const request = store.findRequest(sql, requestId);
  if (request) return request;
  throw new Fault("not_found", "unknown requestId", {
    field: "requestId",
    next: "requests live for five minutes: let the node ask again, then look with node.pair.list",
  });
}

function findKnown(sql: Sql, nodeId: string): store.NodeRow {
  const node = store.findNode(sql, nodeId);
  if (!node) throw new Error("the node was written just now");
  return node;
}

function tooMany(): Fault {
  return new Fault("overloaded", `${maxPending} nodes are waiting for a decision already`, {
    next: "decide on some of them: node.pair.list",
    retryAfterMs: 60_000,
  });
}
