// The one way in: Inbound -> gate, route -> rows -> commit -> lane. Trip (a) and (b). Verdict and work are one commit, so an
// event is either not known at all or decided for ever (R1, R3).

import { createHash } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids, RunId, SessionKey } from "../base/ids.ts";
import { parseRunId } from "../base/ids.ts";
import { canonicalJson } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { inSpan, type BeginSpan, type Span, type SpanEnd } from "../base/trace.ts";
import type { Database, Sql } from "../platform/database.ts";
import type { Inbound, Submit, SubmitResult } from "../ports/message.ts";
import { decideGate, type GatePolicy, type Verdict } from "./gate.ts";
import { requestPairing, type PairingText } from "./pairing.ts";
import { decideRoute, type RoutePolicy } from "./route.ts";
import type { SendPolicy } from "./send-policy.ts";
import { isStopWord } from "./stop-word.ts";
import { findEvent, insertEvent, type InboxEntry } from "./store/inbox.ts";
import { isAllowed } from "./store/pairing.ts";
import { findSession } from "./store/sessions.ts";
import { findTurn, insertTurn } from "./store/turns.ts";

export interface IntakeDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Policy of a channel's account; called for every message, so that a change of the config counts at once. */
  readonly gatePolicy: (channel: string, account: string) => GatePolicy;
  readonly routePolicy: () => RoutePolicy;
  readonly sendPolicy: SendPolicy;
  readonly pairingText: PairingText;
  readonly beginSpan: BeginSpan;
  /** Work was committed for this session. */
  readonly onWork: (sessionKey: SessionKey) => void;
  /** Something was committed to the outbox. */
  readonly onOutbox: () => void;
  /** Someone who may write said stop. */
  readonly onStop: (sessionKey: SessionKey, inbound: Inbound) => void;
}

export interface Intake {
  readonly submit: Submit;
  /** From now on every submit is refused with a retryable Fault, and nothing is stored. */
  close(): void;
}

export function createIntake(dependencies: IntakeDependencies): Intake {
  const { database, clock, log } = dependencies;
  let isClosed = false;

  return {
    close() {
      isClosed = true;
    },
    async submit(inbound) {
      if (isClosed) throw new Fault("shutting_down", "the Gateway is stopping", { retryAfterMs: 2_000 });

      const span = beginReceiving(inbound, dependencies.beginSpan);
      const traced = span.context === undefined ? inbound : { ...inbound, trace: span.context };
      const decision = await inSpan(span, () => database.write((sql) => decide(sql, traced, dependencies)), describe);
      if (decision.isStop) dependencies.onStop(decision.isStop, inbound);
      else if (decision.result.outcome === "accepted") dependencies.onWork(decision.result.sessionKey);
      else if (decision.result.outcome === "pairing") dependencies.onOutbox();

      log.debug("message received", {
        channel: inbound.channel,
        eventId: inbound.eventId,
        outcome: decision.result.outcome,
        ...(decision.result.outcome === "dropped" ? { reason: decision.result.reason } : {}),
        ms: Math.round(clock.now() - decision.receivedAt),
      });
      return decision.result;
    },
  };
}

function beginReceiving({ channel, trace: parent }: Inbound, beginSpan: BeginSpan): Span {
  const attributes = { "messaging.system": channel, "messaging.operation.type": "receive" };
  return beginSpan(`receive ${channel}`, { kind: "consumer", parent, attributes });
}

function describe({ result }: Decision): SpanEnd {
  const reason = result.outcome === "dropped" ? result.reason : undefined;
  return { attributes: { "gateway.outcome": result.outcome, "gateway.reason": reason } };
}

interface Decision {
  readonly result: SubmitResult;
  readonly receivedAt: number;
  readonly isStop?: SessionKey;
}

function decide(sql: Sql, inbound: Inbound, dependencies: IntakeDependencies): Decision {
  const receivedAt = dependencies.clock.now();
  const bodyHash = hashBody(inbound);
  const known = findEvent(sql, inbound);
  if (known) return { result: repeat(known, inbound, bodyHash), receivedAt };

  const policy = inbound.trust === "operator" ? undefined : policyFor(sql, inbound, dependencies);
  const isPaired = policy !== undefined && isAllowed(sql, inbound.channel, inbound.account, inbound.sender.id);
  const verdict: Verdict = policy ? decideGate(inbound, policy, isPaired) : { verdict: "accepted" };
  const entry = { inbound, receivedAt, bodyHash };

  switch (verdict.verdict) {
    case "dropped":
      insertEvent(sql, { ...entry, verdict: "dropped", reason: verdict.reason });
      return { result: { outcome: "dropped", reason: verdict.reason }, receivedAt };
    case "pairing": {
      const code = requestPairing(sql, inbound, { now: receivedAt, text: dependencies.pairingText });
      insertEvent(sql, {
        ...entry,
        verdict: "pairing",
        reason: code ? "pairing-requested" : "too-many-pairing-requests",
      });
      return { result: { outcome: "pairing", code }, receivedAt };
    }
    case "accepted":
      return accept(sql, entry, dependencies);
  }
}

/** The account's policy, with what clients have set for the session of this group. */
function policyFor(sql: Sql, inbound: Inbound, { gatePolicy, routePolicy }: IntakeDependencies): GatePolicy {
  const policy = gatePolicy(inbound.channel, inbound.account);
  if (inbound.chat.kind !== "group") return policy;
  const activation = findSession(sql, decideRoute(inbound, routePolicy()).sessionKey)?.settings.groupActivation;
  return activation ? { ...policy, activation } : policy;
}

interface AcceptedEntry {
  readonly inbound: Inbound;
  readonly receivedAt: number;
  readonly bodyHash: string;
}

function accept(sql: Sql, entry: AcceptedEntry, dependencies: IntakeDependencies): Decision {
  const { inbound, receivedAt } = entry;
  const sessionKey = inbound.run?.sessionKey ?? decideRoute(inbound, dependencies.routePolicy()).sessionKey;
  const runId = inbound.run?.runId ?? parseRunId(dependencies.ids.uuid());
  const result: SubmitResult = { outcome: "accepted", runId, sessionKey, acceptedAt: receivedAt };

  if (inbound.trust === "channel" && isStopWord(inbound.text)) {
    insertEvent(sql, { ...entry, verdict: "accepted", reason: "stop", sessionKey });
    return { result, receivedAt, isStop: sessionKey };
  }
  checkRunIsNew(sql, runId);
  // a channel's message is still heard: what stays away is the reply
  if (inbound.trust === "operator") dependencies.sendPolicy.check(sql, sessionKey);
  const inboxId = insertEvent(sql, { ...entry, verdict: "accepted", sessionKey, runId });
  insertTurn(sql, { runId, inboxId, sessionKey, acceptedAt: receivedAt });
  return { result, receivedAt };
}

function repeat(known: InboxEntry, inbound: Inbound, bodyHash: string): SubmitResult {
  // a platform may render the same event differently the second time; a client that changes its request is at fault
  if (inbound.trust === "operator" && known.bodyHash !== bodyHash) throw keyReused();
  return { outcome: "duplicate", runId: known.runId, sessionKey: known.sessionKey };
}

function checkRunIsNew(sql: Sql, runId: RunId): void {
  if (findTurn(sql, runId)) throw keyReused();
}

function keyReused(): Fault {
  return new Fault("key_reused", "this idempotencyKey was used before for another request", {
    field: "idempotencyKey",
    next: "use a new key for a new request",
  });
}

function hashBody(inbound: Inbound): string {
  const body = {
    text: inbound.text,
    attachments: inbound.attachments ?? [],
    chat: inbound.chat,
    run: inbound.run ?? null,
  };
  return createHash("sha256").update(canonicalJson(body)).digest("base64url");
}
