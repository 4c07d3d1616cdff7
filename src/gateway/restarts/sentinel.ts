// What is kept over a restart for whoever asked for it, in the shape that programs know, and how it is told. Pure.

import { isRecord, parseJson } from "../../base/json.ts";
import { ellipsize } from "../../base/text.ts";

export interface Sentinel {
  readonly kind: "restart" | "config-apply" | "update";
  readonly status: "ok" | "error" | "skipped";
  /** When it was asked for. */
  readonly ts: number;
  readonly sessionKey?: string;
  readonly deliveryContext?: { readonly channel?: string; readonly to?: string; readonly accountId?: string };
  readonly threadId?: string;
  /** In the words of whoever asked. */
  readonly message?: string;
  readonly doctorHint?: string;
  readonly stats?: { readonly mode?: string; readonly reason?: string };
}

const maxReason = 200;
const maxMessage = 2_000;

/** A file of an older program, `restart-sentinel.json`. @returns undefined for one that says nothing that can be told. */
export function parseSentinel(text: string): Sentinel | undefined {
  const file = parseJson(text);
  const payload = isRecord(file) && file["version"] === 1 ? file["payload"] : undefined;
  if (!isRecord(payload)) return undefined;
  const kind = oneOf(["restart", "config-apply", "update"] as const, payload["kind"]);
  if (!kind) return undefined;
  const context = isRecord(payload["deliveryContext"]) ? payload["deliveryContext"] : {};
  const stats = isRecord(payload["stats"]) ? payload["stats"] : {};
  return {
    kind,
    status: oneOf(["ok", "error", "skipped"] as const, payload["status"]) ?? "ok",
    ts: typeof payload["ts"] === "number" ? payload["ts"] : 0,
    ...textsOf(payload, ["sessionKey", "threadId", "message", "doctorHint"]),
    deliveryContext: textsOf(context, ["channel", "to", "accountId"]),
    stats: textsOf(stats, ["mode", "reason"]),
  };
}

function oneOf<const Word extends string>(words: readonly Word[], value: unknown): Word | undefined {
  return words.find((word) => word === value);
}

function textsOf<const Name extends string>(
  from: Record<string, unknown>,
  names: readonly Name[],
): { [Key in Name]?: string } {
  const known = names.flatMap((name) => {
    const value = from[name];
    if (typeof value === "number") return [[name, String(value)] as const];
    return typeof value === "string" && value.trim() !== ""
      ? [[name, ellipsize(value.trim(), maxMessage)] as const]
      : [];
  });
  // each name is one of those that were asked for
  return Object.fromEntries(known) as { [Key in Name]?: string };
}

export const shorten = (text: string): string => ellipsize(text.trim(), maxReason);

const said: Readonly<Record<Sentinel["kind"], string>> = {
  restart: "The Gateway has restarted.",
  "config-apply": "The Gateway has restarted with the changed config.",
  update: "The Gateway has restarted after an update.",
};

/** For people. */
export function renderSentinel({ kind, status, message, doctorHint }: Sentinel): string {
  const outcome =
    status === "ok" ? "" : status === "error" ? " Something went wrong on the way." : " Nothing was changed.";
  return [`${said[kind]}${outcome}`, message, status === "error" ? doctorHint : undefined].filter(Boolean).join("\n\n");
}

/** For the agent, which must not ask for it once more. */
export function renderForAgent(sentinel: Sentinel): string {
  const reason = sentinel.stats?.reason ? ` Reason: ${sentinel.stats.reason}.` : "";
  return `${renderSentinel(sentinel)}${reason} It was asked for here and is done: do not ask for it again.`;
}
