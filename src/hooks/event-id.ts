// Which event a request is about: a sender that is not sure whether it arrived sends it again.

import type { IncomingHttpHeaders } from "node:http";

import { Fault } from "../base/fault.ts";

/** Ours and the field's first, then those of well-known senders (Standard Webhooks; GitHub; GitLab; Stripe-like gateways). */
const idHeaders = ["idempotency-key", "webhook-id", "x-event-id", "x-github-delivery", "x-gitlab-event-uuid"];
const timeHeaders = ["webhook-timestamp", "x-event-timestamp"];
const windowMs = 5 * 60_000;
const pattern = /^[\w.:+/=-]{1,128}$/u;

/** @throws Fault `invalid_params` for an id that is none. @returns undefined when the sender names none. */
export function readEventId(headers: IncomingHttpHeaders): string | undefined {
  const name = idHeaders.find((header) => headers[header] !== undefined);
  if (name === undefined) return undefined;
  const id = headers[name];
  if (typeof id === "string" && pattern.test(id)) return id;
  throw new Fault("invalid_params", `the header ${name} is not an id`, { field: name });
}

/**
 * A request that says when it was sent counts for five minutes: one that was recorded cannot be played again later.
 * @throws Fault `invalid_params`
 */
export function checkAge(headers: IncomingHttpHeaders, now: number): void {
  const name = timeHeaders.find((header) => headers[header] !== undefined);
  if (name === undefined) return;
  const seconds = Number(headers[name]);
  if (Number.isFinite(seconds) && Math.abs(now - seconds * 1000) <= windowMs) return;
  throw new Fault("invalid_params", `the header ${name} is more than five minutes off`, {
    field: name,
    next: "send the time in seconds since 1970, and check the clocks",
  });
}
