// `/v1/chat/completions` against the same model asked directly: what the way through the Gateway costs a program.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startGateway, startModel, token, type Program } from "./programs.ts";
import { median, repeat } from "./statistics.ts";

interface Endpoint {
  readonly url: string;
  readonly model: string;
  readonly key: string;
}

const durationMs = 1_500;

async function ask({ url, model, key }: Endpoint, stream: boolean): Promise<Response> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "hello" }] }),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Requests a second, with so many on their way at any time. */
async function rate(endpoint: Endpoint, inFlight: number): Promise<number> {
  let count = 0;
  const startedAt = performance.now();
  const line = async () => {
    while (performance.now() - startedAt < durationMs) {
      await (await ask(endpoint, false)).json();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, line));
  return count / ((performance.now() - startedAt) / 1_000);
}

/** From the request to the first piece of text, in ms. */
async function firstTokenMs(endpoint: Endpoint): Promise<number> {
  const startedAt = performance.now();
  const { body } = await ask(endpoint, true);
  let taken: number | undefined;
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (/"content":"[^"]/u.test(text)) taken ??= performance.now() - startedAt;
  }
  if (taken === undefined) throw new Error(`${endpoint.url}: no text came: ${text.slice(0, 300)}`);
  return taken;
}

export interface CompletionFigure {
  readonly name: string;
  readonly unit: "ms" | "/s";
  readonly value: number;
  readonly floor: number;
}

/** `env`: of a Gateway with a folder of its own. */
export async function measureCompletions(
  home: string,
  env: NodeJS.ProcessEnv,
  runs: number,
): Promise<CompletionFigure[]> {
  const model = await startModel(env);
  const baseUrl = model.url.replace("ws", "http");
  const state = join(home, "completions");
  mkdirSync(state, { mode: 0o700 });
  const config = {
    gateway: { mode: "local", http: { endpoints: { chatCompletions: { enabled: true } } } },
    agents: { defaults: { model: "mock/m" } },
    models: { providers: { mock: { baseUrl: `${baseUrl}/v1`, apiKey: "k", api: "openai-completions" } } },
  };
  writeFileSync(join(state, "openclaw.json"), JSON.stringify(config), { mode: 0o600 });
  let gateway: Program | undefined;
  try {
    gateway = await startGateway({ ...env, OPENCLAW_STATE_DIR: state });
    const through = { url: gateway.url.replace("ws", "http"), model: "openclaw", key: token };
    const direct = { url: baseUrl, model: "m", key: "k" };
    return await measureBoth(through, direct, runs);
  } finally {
    await gateway?.stop();
    await model.stop();
  }
}

async function measureBoth(through: Endpoint, direct: Endpoint, runs: number): Promise<CompletionFigure[]> {
  const figures: CompletionFigure[] = [];
  const add = async (figure: Pick<CompletionFigure, "name" | "unit">, measure: (of: Endpoint) => Promise<number>) => {
    await measure(through);
    // in turn, for the machine may be busier in one minute than in the next
    const pairs = await repeat(runs, async () => ({ value: await measure(through), floor: await measure(direct) }));
    figures.push({
      ...figure,
      value: median(pairs.map(({ value }) => value)),
      floor: median(pairs.map(({ floor }) => floor)),
    });
  };
  for (const inFlight of [1, 16]) {
    const name = inFlight === 1 ? "completions, one after the other" : `completions, ${inFlight} in flight`;
    await add({ name, unit: "/s" }, (endpoint) => rate(endpoint, inFlight));
  }
  const often = async (endpoint: Endpoint) => median(await repeat(20, () => firstTokenMs(endpoint)));
  await add({ name: "first token of a streamed completion", unit: "ms" }, often);
  return figures;
}
