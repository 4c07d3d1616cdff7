// `models list`, `models status`: which models there are, and whether they can be asked now.

import type { MethodResult } from "../../protocol/contract.ts";
import type { Run } from "../commands.ts";
import { parseTimeout, withClient } from "../connection.ts";
import { renderTable } from "../render/output.ts";

type Model = MethodResult<"models.list">["models"][number];

const refOf = ({ provider, id }: Model) => `${provider}/${id}`;

export const list: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const answer = await withClient(context, { scopes: ["operator.read"], timeoutMs }, (client) =>
    client.call("models.list", {}, { timeoutMs }),
  );
  const { out, flags } = context;
  if (flags.json) out.json(answer);
  else if (options["plain"] === true) for (const model of answer.models) out.line(refOf(model));
  else out.line(answer.models.length === 0 ? "The config names no model." : renderTable(toRows(answer.models)));
  return 0;
};

/** With `--check` 1 when the default model, or one that stands in for it, cannot be asked. */
export const status: Run = async (context, { options }) => {
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 10_000);
  const { models, defaultModel } = await withClient(
    context,
    { scopes: ["operator.read"], timeoutMs },
    async (client) => {
      const [listed, { sessions }] = await Promise.all([
        client.call("models.list", {}, { timeoutMs }),
        client.call("status", {}, { timeoutMs }),
      ]);
      return { models: listed.models, defaultModel: sessions.defaults.model };
    },
  );
  const missing = models.filter(({ available }) => !available);
  const isDefaultSet = defaultModel !== null && !defaultModel.startsWith("offline/") && defaultModel !== "none";
  const { out, flags } = context;
  if (flags.json) out.json({ defaultModel, isDefaultSet, models, missingAuth: missing.map(refOf) });
  else {
    out.line(
      `Default: ${defaultModel ?? "none"}${isDefaultSet ? "" : " (no model is set up: the offline demo answers)"}`,
    );
    if (models.length > 0) out.line(renderTable(toRows(models)));
    if (missing.length > 0) out.line(`next: set the keys of ${missing.map(({ provider }) => provider).join(", ")}`);
  }
  return options["check"] === true && (missing.length > 0 || !isDefaultSet) ? 1 : 0;
};

function toRows(models: readonly Model[]): string[][] {
  const rows = models.map((model) => [
    refOf(model),
    model.alias ?? "",
    model.available ? "ready" : "no key",
    model.contextWindow === undefined ? "" : String(model.contextWindow),
  ]);
  return [["MODEL", "ALIAS", "STATE", "WINDOW"], ...rows];
}
