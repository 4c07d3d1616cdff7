// What the port answers over plain HTTP, each interface with what it is made of. In safe mode: pages about the Gateway alone.

import { hookProblems } from "../../hooks/checks.ts";
import { createOutcomes } from "../../hooks/outcomes.ts";
import { readHooks } from "../../hooks/section.ts";
import type { Service } from "../../base/service.ts";
import type { Finding } from "../../ports/check.ts";
import type { CanvasParts } from "../canvas.ts";
import type { Connection } from "../connection.ts";
import type { DiskKeeper } from "../disk/keeper.ts";
import type { Door } from "../door.ts";
import { createRouter, type Router } from "../http/router.ts";
import type { Family } from "../metrics/family.ts";
import { readFigures } from "../metrics/state.ts";
import { toIdentity, toWorkspace } from "../policies.ts";
import { createReadiness, type Readiness } from "../readiness.ts";
import { createPages, createRoutes } from "../routes.ts";
import { createRunWatch } from "../run-watch.ts";
import { closeInSafeMode } from "../safe-mode.ts";
import type { Agents } from "./agents.ts";
import type { Ground } from "./ground.ts";
import type { Messaging } from "./messaging.ts";

export interface Web {
  readonly router: Router;
  readonly readiness: Readiness;
  /** All that there are, as they are now. */
  readonly figures: () => Promise<readonly Family[]>;
  /** Of the runs that webhooks asked for. */
  readonly outcomes: Service;
  /** What is wrong with the config of webhooks. */
  hookProblems(): readonly (Finding & { readonly next: string })[];
}

export interface WebDependencies {
  readonly agents: Agents;
  readonly messaging: Messaging;
  readonly door: Door;
  readonly disk: DiskKeeper;
  readonly canvas: CanvasParts["canvas"];
  readonly connections: () => Iterable<Connection>;
  readonly isDraining: () => boolean;
}

export function createWeb(ground: Ground, dependencies: WebDependencies): Web {
  const { options, config, isSafe, metrics, database, bus, supervisor, telemetry, routePolicy } = ground;
  const { brand, clock, ids, log, paths, version } = options;
  const { agents, messaging, door, disk, canvas, connections, isDraining } = dependencies;
  const { conversation, channels, tools } = messaging;

  const readiness = createReadiness({
    clock,
    database,
    channels: channels.setUp,
    services: () => supervisor.states(),
    isDraining,
    isSafe,
    mask: options.mask,
  });
  const { overview } = conversation;
  const state = { clock, version, overview, channels: channels.setUp, disk: disk.state, connections, isDraining };
  const figures = () => readFigures(metrics, state);
  const pages = createPages({ readiness, figures });

  const common = { database, clock, ids, routePolicy, intake: conversation.intake };
  const hookState = () => readHooks(config().hooks, options.secret().value);
  const outcomes = createOutcomes({ database, clock, log: log.child("hooks"), runs: conversation.runs });
  const routes = createRoutes({
    pages,
    canvas,
    openAi: {
      ...common,
      runs: conversation.runs,
      lane: conversation.lane,
      watchRun: createRunWatch(bus),
      fetch: async (url, limits) =>
        (await import("../../platform/egress-public.ts")).createPublicFetch({ clock })(url, limits),
      config: () => config().gateway.http,
      product: brand.name,
      embed: agents.embed,
      readPdf: async (bytes, limits) => (await import("../../platform/pdf.ts")).readPdf(bytes, limits, clock),
    },
    hooks: {
      ...common,
      state: hookState,
      outcomes,
      sending: conversation.sending,
      systemEvents: conversation.systemEvents,
    },
    tools: { ...common, tools: () => tools, policy: () => config().gateway.tools ?? {} },
    controlUi: {
      section: () => config().gateway.controlUi,
      assistant: () => {
        const { defaultAgentId: agentId } = routePolicy();
        const { name, emoji } = toIdentity(config(), agentId);
        return { agentId, name, emoji };
      },
      owner: (agentId) => {
        if (!routePolicy().agentIds.includes(agentId)) return undefined;
        const { avatar } = toIdentity(config(), agentId);
        return { avatar, workspace: toWorkspace(config(), paths, agentId), home: paths.home };
      },
      product: brand.name,
      folder: paths.state,
      home: paths.home,
    },
  });
  const closed = [...pages, ...closeInSafeMode(routes)];
  const router = createRouter({
    clock,
    ids,
    log: log.child("gateway/http"),
    judge: door.judge,
    routes: () => (isSafe ? closed : routes),
    isDraining,
    onAnswered: metrics.httpAnswered,
    beginSpan: telemetry.beginSpan,
  });
  return { router, readiness, figures, outcomes, hookProblems: () => hookProblems(hookState()) };
}
