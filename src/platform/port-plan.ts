// Which ports one Gateway uses: its own, and those that follow from it for its browser and its canvas. Pure.

import type { Config } from "../settings/config.ts";
import type { Env } from "./env.ts";
import { defaultPort } from "./paths.ts";

/** Ports of a part that is switched off are absent. */
export interface PortPlan {
  /** The one port of everything: WebSocket, HTTP, pages. */
  readonly gateway: number;
  /** Loopback only. */
  readonly browserControl?: number;
  /** Loopback only. */
  readonly extensionRelay?: number;
  readonly canvas?: number;
  /** Each browser profile takes the first one here that is free. */
  readonly cdp?: PortRange;
  /** Browser profiles whose port the config names. */
  readonly cdpProfiles?: Readonly<Record<string, number>>;
}

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PlanOptions {
  /** The port in use, wherever it came from; not 0. */
  readonly base: number;
  readonly env: Env;
  readonly config: Pick<Config, "canvasHost" | "browser">;
}

const offsets = { browserControl: 2, extensionRelay: 3, canvas: 4 } as const;
/** From the port of the browser control. */
const cdpOffsets = { first: 9, last: 108 } as const;
/** Between two base ports: nothing of one Gateway is another's then, up to the last port for browser profiles. */
export const fullSpacing = offsets.browserControl + cdpOffsets.last + 10;

export function planPorts({ base, env, config }: PlanOptions): PortPlan {
  const canvas = isCanvasOff(env, config) ? {} : { canvas: decideCanvas(base, env, config) };
  const { browser } = config;
  if (browser?.enabled === false || isSet(env, "SKIP_BROWSER_CONTROL_SERVER")) return { gateway: base, ...canvas };
  const browserControl = browser?.controlPort ?? derive(base, offsets.browserControl);
  return {
    gateway: base,
    browserControl,
    extensionRelay: derive(base, offsets.extensionRelay),
    ...canvas,
    cdp: cdpRange(browserControl),
    ...fixedProfiles(browser),
  };
}

const isSet = (env: Env, name: string) => /^(?:1|true|yes|on)$/iu.test(env.get(name) ?? "");

function isCanvasOff(env: Env, { canvasHost }: PlanOptions["config"]): boolean {
  return canvasHost?.enabled === false || isSet(env, "SKIP_CANVAS_HOST");
}

/** A variable that is no port is passed over, as if it were unset: the canvas is never worth a Gateway that does not start. */
function decideCanvas(base: number, env: Env, { canvasHost }: PlanOptions["config"]): number {
  const variable = Number(env.get("CANVAS_HOST_PORT") ?? Number.NaN);
  if (isPort(variable)) return variable;
  return canvasHost?.port ?? derive(base, offsets.canvas);
}

const isPort = (value: number) => Number.isInteger(value) && value >= 1 && value <= 65_535;

/** What would lie beyond the last port is what it would be for the default one. */
function derive(base: number, offset: number): number {
  return isPort(base + offset) ? base + offset : defaultPort + offset;
}

function cdpRange(control: number): PortRange {
  const from = isPort(control + cdpOffsets.last) ? control : defaultPort + offsets.browserControl;
  return { first: from + cdpOffsets.first, last: from + cdpOffsets.last };
}

function fixedProfiles(browser: Config["browser"]): Pick<PortPlan, "cdpProfiles"> {
  const fixed = Object.entries(browser?.profiles ?? {}).flatMap(([name, { cdpPort }]) =>
    cdpPort === undefined ? [] : [[name, cdpPort] as const],
  );
  return fixed.length === 0 ? {} : { cdpProfiles: Object.fromEntries(fixed) };
}

/** One use of one port, or of a range. */
export interface PortUse extends PortRange {
  readonly name: string;
}

/** Two uses that have ports in common: from `first` to `last`. */
export interface PortClash extends PortRange {
  readonly ours: string;
  readonly theirs: string;
  /** A range is in it, whose user looks for a port that is free: it costs a few ports and breaks nothing. */
  readonly isSoft: boolean;
}

/** All uses of a plan, by name for people. */
export function listPortUses(plan: PortPlan): readonly PortUse[] {
  const single = (name: string, port: number | undefined) =>
    port === undefined ? [] : [{ name, first: port, last: port }];
  return [
    ...single("Gateway", plan.gateway),
    ...single("browser control", plan.browserControl),
    ...single("extension relay", plan.extensionRelay),
    ...single("canvas", plan.canvas),
    ...(plan.cdp ? [{ name: "browser profiles", ...plan.cdp }] : []),
    ...Object.entries(plan.cdpProfiles ?? {}).flatMap(([name, port]) => single(`browser profile ${name}`, port)),
  ];
}

/** What two Gateways on one machine would both want. */
export function findPortClashes(ours: PortPlan, theirs: PortPlan): PortClash[] {
  return listPortUses(ours).flatMap((one) => listPortUses(theirs).flatMap((other) => overlap(one, other)));
}

/** What one Gateway wants twice, because the config or the environment puts two things on one port. */
export function findOwnClashes(plan: PortPlan): PortClash[] {
  const uses = listPortUses(plan);
  // a profile's own port may well lie in the range
  return uses
    .flatMap((one, index) => uses.slice(index + 1).flatMap((other) => overlap(one, other)))
    .filter(({ isSoft }) => !isSoft);
}

function overlap(one: PortUse, other: PortUse): PortClash[] {
  const first = Math.max(one.first, other.first);
  const last = Math.min(one.last, other.last);
  if (first > last) return [];
  const isSoft = one.first !== one.last || other.first !== other.last;
  return [{ ours: one.name, theirs: other.name, first, last, isSoft }];
}

/** `19004 (extension relay, there browser control)`. */
export function renderClash({ ours, theirs, first, last }: PortClash): string {
  const ports = first === last ? String(first) : `${first}-${last}`;
  return ours === theirs ? `${ports} (${ours})` : `${ports} (${ours}, there ${theirs})`;
}
