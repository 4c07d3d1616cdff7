// What a person answered, whether to questions or by flags, and what that makes of the config file. Pure.

import { defaultAccount } from "../base/ids.ts";
import { isRecord, withoutGaps } from "../base/json.ts";
import { keyOf } from "../config/accounts.ts";
import { readAt } from "../config/path.ts";

/** What is absent stays as the file has it. */
export interface Answers {
  /** Absent: local where the file says nothing. */
  readonly mode?: "local" | "remote";
  readonly remote?: RemoteAnswer;
  /** An absolute path. */
  readonly workspace?: string;
  readonly gateway?: GatewayAnswer;
  readonly model?: ModelAnswer;
  readonly telegram?: TelegramAnswer;
}

export interface RemoteAnswer {
  readonly url: string;
  readonly token?: string;
}

export interface GatewayAnswer {
  readonly port?: number;
  readonly bind?: string;
  readonly auth?: "token" | "password";
  readonly token?: string;
  readonly password?: string;
  readonly tailscale?: "off" | "serve" | "funnel";
  readonly isTailscaleReset?: boolean;
}

export interface ModelAnswer {
  /** `provider/model`. */
  readonly ref: string;
  readonly provider: string;
  /** Absent: none is needed, or the environment holds it. */
  readonly apiKey?: string;
  readonly baseUrl?: string;
}

export interface TelegramAnswer {
  /** Absent: the default one. */
  readonly account?: string;
  readonly name?: string;
  /** Absent, and no file either: the environment holds it. */
  readonly botToken?: string;
  readonly tokenFile?: string;
  readonly apiRoot?: string;
}

export interface SetupState {
  /** What the file says, with what it includes. */
  readonly whole: Readonly<Record<string, unknown>>;
  /** Where the agent works when nobody says otherwise. */
  readonly workspace: string;
}

/** A merge patch (RFC 7396) for the config file; empty sections are left out. */
export function toPatch(answers: Answers, state: SetupState): Record<string, unknown> {
  const { whole } = state;
  const mode = answers.mode ?? (readAt(whole, ["gateway", "mode"]) === undefined ? "local" : undefined);
  const isRemote = (mode ?? readAt(whole, ["gateway", "mode"])) === "remote";
  const patch = filled({
    gateway: filled({
      mode,
      ...gatewayKeys(answers.gateway, whole),
      remote: answers.remote === undefined ? undefined : filled({ ...answers.remote }),
    }),
    agents: filled({ defaults: filled({ ...agentKeys(answers, state, isRemote) }) }),
    models: filled({ providers: filled(providerKeys(answers.model)) }),
    channels: filled({
      telegram: answers.telegram && telegramKeys(answers.telegram, readAt(whole, ["channels", "telegram"])),
    }),
  });
  return patch ?? {};
}

function gatewayKeys(gateway: GatewayAnswer | undefined, whole: SetupState["whole"]): Record<string, unknown> {
  if (gateway === undefined) return {};
  const { port, bind, auth, token, password, tailscale, isTailscaleReset } = gateway;
  // a token has one place: that file of its own, unless the config has taken it over
  const isTokenHere = readAt(whole, ["gateway", "auth", "token"]) !== undefined;
  // token is what everybody assumes; to say so matters where there is a password
  const isPlain = password === undefined && readAt(whole, ["gateway", "auth"]) === undefined;
  const mode = auth === "token" && isPlain ? undefined : auth;
  return {
    port,
    bind,
    tailscale: filled({ mode: tailscale, resetOnExit: isTailscaleReset }),
    auth: filled({ mode, token: isTokenHere ? token : undefined, password }),
  };
}

function agentKeys({ workspace, model }: Answers, state: SetupState, isRemote: boolean): Record<string, unknown> {
  const isPlaced = readAt(state.whole, ["agents", "defaults", "workspace"]) !== undefined;
  const current = readAt(state.whole, ["agents", "defaults", "model"]);
  return {
    workspace: workspace ?? (isPlaced || isRemote ? undefined : state.workspace),
    // fallbacks that were chosen stay
    model: model === undefined ? undefined : isRecord(current) ? { primary: model.ref } : model.ref,
  };
}

function providerKeys(model: ModelAnswer | undefined): Record<string, unknown> {
  if (model === undefined) return {};
  return { [model.provider]: filled({ baseUrl: model.baseUrl, apiKey: model.apiKey }) };
}

/**
 * A merge patch for `channels.telegram`, which the file has as `section`: the account switched on, its token in the one place that was
 * given now. The default account is at the top, unless it has a section of its own.
 */
export function telegramKeys(answer: TelegramAnswer, section: unknown): Record<string, unknown> {
  const { account = defaultAccount, name, botToken, tokenFile, apiRoot } = answer;
  const keys = {
    enabled: true,
    ...withoutGaps({ name, apiRoot }),
    botToken: botToken ?? null,
    tokenFile: tokenFile ?? null,
  };
  const key = isRecord(section) ? keyOf(section, account) : undefined;
  return key === undefined && account === defaultAccount ? keys : { accounts: { [key ?? account]: keys } };
}

/** Undefined when no key has a value. */
function filled(value: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const rest = withoutGaps(value);
  return Object.keys(rest).length === 0 ? undefined : rest;
}
