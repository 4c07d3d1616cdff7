// What a model streams, as it comes, for whoever looks into it (`--raw-stream`).

import type { Clock } from "../base/clock.ts";
import type { Model } from "../ports/model.ts";

export type RecordEntry = (entry: Readonly<Record<string, unknown>>) => void;

/** The same model; every event of its streams is recorded before it is passed on. */
export function recordModel(model: Model, { record, clock }: { record: RecordEntry; clock: Clock }): Model {
  const { provider, id } = model;
  let calls = 0;
  return {
    ...model,
    async *stream(request) {
      calls += 1;
      const call = calls;
      const note = (entry: object) => record({ ts: clock.now(), provider, model: id, call, ...entry });
      note({ type: "start", messages: request.messages.length, tools: request.tools.length });
      for await (const event of model.stream(request)) {
        note(event);
        yield event;
      }
    },
  };
}
