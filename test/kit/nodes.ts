// The nodes room on a real database file, with fake links, and an intake that keeps what is submitted.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createManualClock, type ManualClock } from "../../src/base/clock.ts";
import { Fault } from "../../src/base/fault.ts";
import { createSeededIds, parseRunId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { conversationMigrations } from "../../src/conversation/store/schema.ts";
import { createNodes, type Nodes } from "../../src/nodes/nodes.ts";
import type { CommandPolicy } from "../../src/nodes/policy.ts";
import { nodeMigrations } from "../../src/nodes/store/schema.ts";
import { openDatabase } from "../../src/platform/database.ts";
import { createBus, type Bus, type BusEvent } from "../../src/platform/bus.ts";
import type { Inbound } from "../../src/ports/message.ts";
import type { Caller } from "../../src/ports/method.ts";

type Handlers = Nodes["handlers"];
type Params<Name extends keyof Handlers> = Parameters<Handlers[Name]>[0]["params"];

export const operator: Caller = {
  connId: "operator",
  principal: "secret",
  role: "operator",
  scopes: ["operator.admin"],
  client: { id: "cli", mode: "cli", version: "1" },
  protocol: 4,
  isLocal: true,
  auth: "token",
};

export interface NodesKit {
  readonly clock: ManualClock;
  readonly bus: Bus;
  readonly events: BusEvent[];
  readonly inbounds: Inbound[];
  /** Session and text of what the agent is to see. */
  readonly notes: [string, string][];
  readonly policy: { allow: string[]; deny: string[] };
  readonly pairedDevices: Set<string>;
  readonly folder: string;
  readonly nodes: () => Nodes;
  call<Name extends keyof Handlers>(
    name: Name,
    params: Params<Name>,
    options?: { caller?: Caller; accept?: (payload: unknown) => void; signal?: AbortSignal },
  ): ReturnType<Handlers[Name]>;
  /** What a crash looks like: the room again, on the same file. */
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

export async function openNodesKit(): Promise<NodesKit> {
  const folder = await mkdtemp(join(tmpdir(), "nodes-"));
  const clock = createManualClock();
  const bus = createBus(silentLog);
  const events: BusEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const inbounds: Inbound[] = [];
  const notes: [string, string][] = [];
  const policy: CommandPolicy & NodesKit["policy"] = { allow: [], deny: [] };
  const pairedDevices = new Set<string>();
  const failures = new Map<string, number>();
  let seed = 1;
  const open = () => {
    const database = openDatabase(join(folder, "gateway.sqlite"), [...conversationMigrations, ...nodeMigrations]);
    const nodes = createNodes({
      database,
      clock,
      ids: createSeededIds(seed++),
      log: silentLog,
      bus,
      attempts: {
        waitMs: (source) => ((failures.get(source) ?? 0) >= 5 ? 1_000 : 0),
        fail: (source) => void failures.set(source, (failures.get(source) ?? 0) + 1),
      },
      intake: {
        close: () => undefined,
        async submit(inbound) {
          inbounds.push(inbound);
          const { runId, sessionKey } = inbound.run!;
          return { outcome: "accepted", runId: parseRunId(runId), sessionKey, acceptedAt: clock.now() };
        },
      },
      noteEvent: async (sessionKey, text) => void notes.push([sessionKey, text]),
      sending: {
        resolveChannel() {
          throw new Fault("not_linked", "no channel is set up here");
        },
      },
      routePolicy: () => ({
        dmScope: "main",
        scope: "per-sender",
        agentIds: ["main"],
        defaultAgentId: "main",
        bindings: [],
      }),
      policy: () => policy,
      pairedDevices: async () => pairedDevices,
      revokeDevice: async (deviceId) => void pairedDevices.delete(deviceId),
      execApprovalsPath: join(folder, "state", "exec-approvals.json"),
    });
    return { database, nodes };
  };
  let opened = open();
  return {
    clock,
    bus,
    events,
    inbounds,
    notes,
    policy,
    pairedDevices,
    folder,
    nodes: () => opened.nodes,
    call(name, params, options = {}) {
      const handler = opened.nodes.handlers[name] as unknown as (call: unknown) => Promise<never>;
      return handler({
        params,
        caller: options.caller ?? operator,
        signal: options.signal ?? new AbortController().signal,
        accept: options.accept ?? (() => undefined),
      }) as never;
    },
    async reopen() {
      await opened.database.close();
      opened = open();
    },
    async stop() {
      await opened.database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
