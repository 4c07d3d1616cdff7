// `devices list`: what is paired, and who waits at the door.

import type { MethodResult } from "../../protocol/contract.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderAge, renderTable } from "../render/output.ts";

type Lists = MethodResult<"device.pair.list">;

export const run: Run = async (context, { options }) => {
  const { out, clock, command } = context;
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const lists = await withClient(context, { scopes: ["operator.pairing"], timeoutMs }, (client) =>
    client.call("device.pair.list", {}, { timeoutMs }),
  );
  if (context.flags.json) {
    out.json(lists);
    return 0;
  }
  const now = clock.now();
  if (lists.pending.length > 0) {
    out.line("Waiting for approval:");
    out.line(renderTable([["REQUEST", "DEVICE", "ROLE", "SCOPES", "WHY", "ASKED"], ...toPendingRows(lists, now)]));
    out.line(`next: ${command("devices approve <request>")}`);
    out.line();
  }
  if (lists.paired.length === 0) out.line("No device is paired.");
  else out.line(renderTable([["DEVICE", "ID", "ROLES", "SCOPES", "SEEN"], ...toPairedRows(lists, now)]));
  return 0;
};

const nameOf = (device: { displayName?: string; clientId?: string; platform?: string }) =>
  `${device.displayName ?? device.clientId ?? "?"}${device.platform ? ` (${device.platform})` : ""}`;
const listOf = (words: readonly string[]) => words.map((word) => word.replace(/^operator\./u, "")).join(", ") || "none";

function toPendingRows({ pending }: Lists, now: number): string[][] {
  return pending.map((request) => [
    request.requestId,
    nameOf(request),
    request.role,
    listOf(request.scopes),
    request.reason,
    renderAge(now - request.ts),
  ]);
}

function toPairedRows({ paired }: Lists, now: number): string[][] {
  return paired.map((device) => [
    nameOf(device),
    device.deviceId.slice(0, 16),
    listOf(device.roles),
    listOf(device.scopes),
    renderAge(now - device.lastSeenAtMs),
  ]);
}
