// One webhook: its body becomes a wake or a turn, once for each event.

import { Fault } from "../base/fault.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import { runAgent, wakeAgent, type ActionContext, type ActionDependencies } from "./actions.ts";
import { applyMapping, findMapping, readAgent, readWake } from "./requests.ts";
import type { HookState } from "./section.ts";
import { addEvent, hasEvent, type HookEvent } from "./store.ts";

export interface Taking {
  readonly request: HttpRequest;
  readonly reply: HttpReply;
  readonly hooks: Extract<HookState, { state: "on" }>;
  readonly path: string;
  readonly event: HookEvent | undefined;
  readonly context: ActionContext;
}

/** @throws Fault for what is not understood, and of the submission. */
export async function take(taking: Taking, dependencies: ActionDependencies): Promise<void> {
  const { request, reply, hooks, path, context } = taking;
  const body = await request.json();
  if (path === "wake") {
    const wake = readWake(body);
    await once(taking, dependencies, () =>
      wakeAgent({ ...wake, name: "wake", isTrusted: true }, context, dependencies),
    );
    reply.json(200, { ok: true, mode: wake.mode });
  } else if (path === "agent") {
    const runId = await runAgent(readAgent(body, hooks.sessionPrefixes), context, dependencies);
    reply.json(202, { ok: true, runId });
  } else await takeMapped(taking, body, dependencies);
}

async function takeMapped(taking: Taking, body: unknown, dependencies: ActionDependencies): Promise<void> {
  const { request, reply, hooks, path, context } = taking;
  const values = { payload: body, headers: request.headers, query: Object.fromEntries(request.query), path };
  const mapping = findMapping(hooks.mappings, values);
  if (!mapping) throw new Fault("not_found", "no rule of hooks.mappings takes this");
  const mapped = applyMapping(mapping, values);
  if (!mapped) reply.send(204, "", {});
  else if (mapped.action === "agent") {
    const runId = await runAgent(mapped.agent, context, dependencies);
    reply.json(202, { ok: true, runId });
  } else {
    const { wake, name, isTrusted } = mapped;
    await once(taking, dependencies, () => wakeAgent({ ...wake, name, isTrusted }, context, dependencies));
    reply.json(200, { ok: true, mode: wake.mode });
  }
}

/** A run is known by its id; what only wakes is remembered here, after it was done: a crash between makes it happen again. */
async function once(
  { event }: Taking,
  { database, clock }: ActionDependencies,
  act: () => Promise<void>,
): Promise<void> {
  if (event && (await database.read((sql) => hasEvent(sql, event)))) return;
  await act();
  if (event) await database.write((sql) => addEvent(sql, event, clock.now()));
}
