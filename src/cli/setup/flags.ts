// What the flags of `onboard` say. The same plan is made by questions; what a flag says is not asked.

import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import type { Answers, GatewayAnswer, ModelAnswer, TelegramAnswer } from "../../setup/answers.ts";
import { findProvider, providerChoices, type ProviderChoice } from "../../setup/providers.ts";
import { parseToken } from "../../setup/token.ts";
import { expandHome } from "../../platform/paths.ts";
import type { Invocation } from "../commands.ts";
import type { Context } from "../context.ts";
import { checkRuntime } from "../service/runtime.ts";
import { textOf } from "./open.ts";
import { readMode } from "./remote.ts";
import { readSecret } from "./secret-input.ts";

/** Absent: nobody said. */
export interface Wishes {
  readonly answers: Omit<Answers, "model" | "telegram">;
  /** `skip`: no model now. */
  readonly provider: ProviderChoice | "skip" | undefined;
  readonly model: Partial<ModelAnswer>;
  readonly telegram: TelegramAnswer | undefined;
  readonly service: boolean | undefined;
  readonly flow: "quickstart" | "advanced" | undefined;
  readonly isReset: boolean;
  /** Keys and tokens are tried before they are written. */
  readonly isTried: boolean;
  readonly skips: { readonly channels: boolean; readonly health: boolean; readonly skills: boolean };
}

const exposures = ["off", "serve", "funnel"] as const;
const binds = ["loopback", "lan", "tailnet", "auto", "custom"] as const;

/** @throws Fault `usage` for what cannot be meant. */
export async function readWishes({ paths }: Context, invocation: Invocation): Promise<Wishes> {
  const { options } = invocation;
  checkRuntime(options["daemonRuntime"], "--daemon-runtime");
  const workspace = textOf(invocation, "workspace");
  const gateway = await readGateway(invocation);
  const { provider, model } = await readModel(invocation);
  return {
    answers: {
      ...(await readMode(invocation)),
      ...withoutGaps({
        workspace: workspace === undefined ? undefined : expandHome(workspace.trim(), paths.home),
        gateway,
      }),
    },
    provider,
    model,
    telegram: await readTelegram(invocation),
    service: readService(options),
    flow: readFlow(textOf(invocation, "flow")),
    isReset: options["reset"] === true,
    isTried: options["check"] !== false,
    skips: {
      channels: options["skipChannels"] === true,
      health: options["skipHealth"] === true,
      skills: options["skipSkills"] === true,
    },
  };
}

function readService(options: Invocation["options"]): boolean | undefined {
  if (options["installDaemon"] === false || options["skipDaemon"] === true) return false;
  return options["installDaemon"] === true ? true : undefined;
}

/** manual is an older word for advanced. */
function readFlow(flow: string | undefined): Wishes["flow"] {
  return oneOf(flow === "manual" ? "advanced" : flow, "--flow", ["quickstart", "advanced"] as const);
}

async function readGateway(invocation: Invocation): Promise<GatewayAnswer | undefined> {
  const port = textOf(invocation, "gatewayPort");
  const token = await readSecret(textOf(invocation, "gatewayToken"), "--gateway-token");
  const password = await readSecret(textOf(invocation, "gatewayPassword"), "--gateway-password");
  const meant = password === undefined ? token && "token" : "password";
  const gateway = withoutGaps({
    port: port === undefined ? undefined : parsePort(port),
    bind: oneOf(textOf(invocation, "gatewayBind"), "--gateway-bind", binds),
    auth: oneOf(textOf(invocation, "gatewayAuth") ?? meant, "--gateway-auth", ["token", "password"] as const),
    token: token === undefined ? undefined : parseToken(token),
    password,
    tailscale: oneOf(textOf(invocation, "tailscale"), "--tailscale", exposures),
    isTailscaleReset: invocation.options["tailscaleResetOnExit"] === true ? true : undefined,
  });
  return Object.keys(gateway).length === 0 ? undefined : gateway;
}

function oneOf<Value extends string>(
  text: string | undefined,
  flag: string,
  values: readonly Value[],
): Value | undefined {
  const found = values.find((value) => value === text);
  if (text === undefined || found !== undefined) return found;
  throw new Fault("usage", `Invalid ${flag}: ${text}`, { field: flag, next: `use one of: ${values.join(", ")}` });
}

/** @throws Fault `usage` for what is no port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Fault("usage", `Invalid port: ${text}`, { field: "--gateway-port", next: "use a number from 1 to 65535" });
}

/** The options that hold a provider's key. */
const keyFlags: Readonly<Record<string, readonly [option: string, flag: string]>> = {
  "anthropic-api-key": ["anthropicApiKey", "--anthropic-api-key"],
  "openai-api-key": ["openaiApiKey", "--openai-api-key"],
  "gemini-api-key": ["geminiApiKey", "--gemini-api-key"],
  "custom-api-key": ["customApiKey", "--custom-api-key"],
};

async function readModel(invocation: Invocation): Promise<Pick<Wishes, "provider" | "model">> {
  const provider = readProvider(invocation);
  if (provider === undefined || provider === "skip") return { provider, model: {} };
  const [option, flag] = keyFlags[provider.id] ?? [];
  const apiKey = option && flag ? await readSecret(textOf(invocation, option), flag) : undefined;
  const baseUrl = readBaseUrl(textOf(invocation, "customBaseUrl"));
  const ref = textOf(invocation, "model") ?? textOf(invocation, "customModelId");
  return { provider: readName(provider, invocation), model: withoutGaps({ apiKey, baseUrl, ref }) };
}

/** A server of one's own may have a name of one's own. @throws Fault `usage` for what is none. */
function readName(provider: ProviderChoice, invocation: Invocation): ProviderChoice {
  const id = textOf(invocation, "customProviderId");
  if (id === undefined || provider.id !== "custom-api-key") return provider;
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/u.test(id)) return { ...provider, provider: id };
  throw new Fault("usage", `not a name of a provider: ${id}`, {
    field: "--custom-provider-id",
    next: "use small letters, digits, - and _",
  });
}

function readBaseUrl(text: string | undefined): string | undefined {
  if (text === undefined || isWebAddress(text)) return text;
  throw new Fault("usage", `not an address: ${text}`, {
    field: "--custom-base-url",
    next: "write it as http://127.0.0.1:1234/v1",
  });
}

export const isWebAddress = (text: string) => URL.canParse(text) && /^https?:$/u.test(new URL(text).protocol);

/** Named, or the one whose key is there. */
function readProvider(invocation: Invocation): Wishes["provider"] {
  const named = textOf(invocation, "authChoice");
  if (named === "skip") return named;
  if (named !== undefined) {
    const found = findProvider(named);
    if (found) return found;
    throw new Fault("usage", `Invalid --auth-choice: ${named}`, {
      field: "--auth-choice",
      next: `use one of: ${[...providerChoices.map(({ id }) => id), "skip"].join(", ")}`,
    });
  }
  const keyed = Object.entries(keyFlags).find(([, [option]]) => textOf(invocation, option) !== undefined);
  if (keyed) return findProvider(keyed[0]);
  return textOf(invocation, "customBaseUrl") === undefined ? undefined : findProvider("custom-api-key");
}

async function readTelegram(invocation: Invocation): Promise<TelegramAnswer | undefined> {
  const botToken = await readSecret(textOf(invocation, "telegramToken"), "--telegram-token");
  const apiRoot = textOf(invocation, "telegramApiRoot");
  if (botToken === undefined) return undefined;
  return { ...withoutGaps({ botToken, apiRoot }) };
}
