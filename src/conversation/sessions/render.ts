// A stored session -> its row in lists and its entry, as clients of the protocol know them. Pure.

import { ellipsize } from "../../base/text.ts";
import type { EventPayload, MethodResult } from "../../protocol/contract.ts";
import type { SessionRow } from "../store/sessions.ts";

export type WireSession = NonNullable<EventPayload<"sessions.changed">["session"]>;
export type WireEntry = MethodResult<"sessions.patch">["entry"];

/** A model as clients see it; absent parts are not known. */
export interface ModelView {
  readonly provider: string;
  readonly model: string;
  /** Tokens of input and output together. */
  readonly contextWindow: number;
}

/** The model of a `provider/model`, or the default one, of that agent where it is named; undefined when none can be used. */
export type ViewModel = (ref: string | undefined, agentId?: string) => ModelView | undefined;

const maxTitle = 60;
const maxLastMessage = 120;

/** Absent values are left out when the answer is written as JSON. */
export function renderSession(
  session: SessionRow,
  { viewModel, firstWords, lastWords }: { viewModel: ViewModel; firstWords?: string; lastWords?: string },
): WireSession {
  const { key, title, label } = session;
  const { model: ownModel, ...settings } = session.settings;
  const model = nextModel(session, viewModel, ownModel);
  const kind = kindOf(session);
  const isGroup = kind === "group";
  return {
    key,
    kind,
    agentId: session.agentId,
    sessionId: session.sessionId,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
    label,
    displayName: label ?? title,
    derivedTitle: firstWords === undefined ? undefined : oneLine(firstWords, maxTitle),
    lastMessagePreview: lastWords === undefined ? undefined : oneLine(lastWords, maxLastMessage),
    spawnedBy: session.spawnedBy,
    chatType: isGroup ? "group" : "direct",
    subject: isGroup ? title : undefined,
    ...placeOf(session),
    ...settings,
    abortedLastRun: session.isLastAborted || undefined,
    modelProvider: model?.provider,
    model: model?.model,
    inputTokens: session.inputTokens,
    outputTokens: session.outputTokens,
    totalTokens: session.contextTokens,
    contextTokens: model?.contextWindow,
  };
}

/** The model that answers next: the session's own, else the last one, else the default. */
export function nextModel(
  session: Pick<SessionRow, "agentId" | "provider" | "model">,
  viewModel: ViewModel,
  ownModel: string | undefined,
): Partial<ModelView> | undefined {
  if (ownModel) return viewModel(ownModel) ?? splitRef(ownModel);
  const { provider, model } = session;
  if (!provider || !model) return viewModel(undefined, session.agentId);
  return viewModel(`${provider}/${model}`) ?? { provider, model };
}

export function renderEntry(session: SessionRow): WireEntry {
  const { model, ...settings } = session.settings;
  const own = model === undefined ? undefined : splitRef(model);
  return {
    sessionId: session.sessionId,
    updatedAt: session.updatedAt,
    label: session.label,
    spawnedBy: session.spawnedBy,
    ...settings,
    ...placeOf(session),
    providerOverride: own?.provider,
    modelOverride: own?.model,
    inputTokens: session.inputTokens,
    outputTokens: session.outputTokens,
    totalTokens: session.contextTokens,
  };
}

function splitRef(ref: string): { provider: string; model: string } {
  const slash = ref.indexOf("/");
  return { provider: ref.slice(0, slash), model: ref.slice(slash + 1) };
}

export function kindOf({ key, chatKind }: Pick<SessionRow, "key" | "chatKind">): WireSession["kind"] {
  if (key === "global") return "global";
  if (key === "unknown") return "unknown";
  return chatKind === "group" || /:(?:group|channel):/u.test(key) ? "group" : "direct";
}

function placeOf({ lastRoute }: SessionRow) {
  if (!lastRoute) return {};
  const { channel, chatId, account, threadId } = lastRoute;
  return {
    channel,
    deliveryContext: { channel, to: chatId, accountId: account, threadId },
    lastChannel: channel,
    lastTo: chatId,
    lastAccountId: account,
  };
}

export function oneLine(text: string, maxLength: number): string {
  return ellipsize(text.replaceAll(/\s+/gu, " ").trim(), maxLength);
}
