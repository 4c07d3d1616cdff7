// Does a model answer with this key? One tiny real request, before anything is written.

import { chooseModels } from "../agent/models.ts";
import { openModel } from "../agent/providers/open.ts";
import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import { Fault } from "../base/fault.ts";
import type { EgressFetch } from "../platform/egress.ts";
import type { Model } from "../ports/model.ts";
import type { Config } from "../settings/config.ts";
import type { ModelAnswer } from "./answers.ts";

export type CheckResult =
  | { readonly isOk: true; /** What answered, for people. */ readonly who: string }
  | { readonly isOk: false; readonly reason: string; readonly next: string };

export interface ModelCheckMeans {
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  /** What the config holds already. */
  readonly providers: Config["models"]["providers"];
  readonly env: (name: string) => string | undefined;
  /** Default 30 seconds: a local server may have to load the model first. */
  readonly timeoutMs?: number;
}

/** Enough for a word; some models refuse to be asked for less. */
const maxOutputTokens = 16;

/** Never throws for what the other side does. */
export async function checkModel(answer: ModelAnswer, means: ModelCheckMeans): Promise<CheckResult> {
  const { ref, provider, apiKey, baseUrl } = answer;
  const entry = { ...means.providers[provider], ...(apiKey ? { apiKey } : {}), ...(baseUrl ? { baseUrl } : {}) };
  const providers = { ...means.providers, [provider]: entry };
  const { specs, unusable } = chooseModels({
    defaults: { model: ref },
    providers,
    env: means.env,
  });
  const [spec] = specs;
  if (spec === undefined) {
    const [why] = unusable;
    return { isOk: false, reason: why?.reason ?? `${ref} cannot be used`, next: why?.next ?? "name another model" };
  }
  const deadline = createDeadline(means.clock, means.timeoutMs ?? 30_000);
  try {
    const model = await openModel(spec, means);
    return await abortable(ask(model, means.clock, deadline.signal), deadline.signal);
  } catch (error) {
    if (!(error instanceof Fault) || !deadline.isExpired()) throw error;
    return { isOk: false, reason: `${ref}: ${error.message}`, next: "check the address, or try again" };
  } finally {
    deadline.clear();
  }
}

async function ask(model: Model, clock: Clock, signal: AbortSignal): Promise<CheckResult> {
  const who = `${model.provider}/${model.id}`;
  const events = model.stream({
    system: "You are asked whether you can be reached.",
    messages: [{ role: "user", content: [{ type: "text", text: "Answer with the word ok." }], timestamp: clock.now() }],
    tools: [],
    maxOutputTokens,
    signal,
  });
  for await (const event of events) {
    if (event.type === "end") return { isOk: true, who };
    if (event.type === "failed")
      return { isOk: false, reason: `${who}: ${event.reason}`, next: nextSteps[event.failure] };
  }
  return { isOk: false, reason: `${who}: the answer broke off`, next: nextSteps.retry };
}

const nextSteps = {
  key: "copy the key anew, and look whether its account has credit",
  model: "name a model that this provider has",
  retry: "check the address and the network, or try again later",
  "too-long": "name another model",
  refused: "name another model",
  bug: "check that the server speaks this API, and that it has the model",
} as const;
