// GET /v1/models and /v1/models/<id>: agents, by the names that `model` takes.

import { Fault } from "../base/fault.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import { modelNames } from "./target.ts";

const modelsPath = "/v1/models";

export interface ModelsDependencies {
  readonly routePolicy: () => RoutePolicy;
  readonly product: string;
  /** When the Gateway started, s since the epoch. */
  readonly startedAt: number;
}

/** @throws Fault `not_found` */
export function answerModels({ path }: HttpRequest, reply: HttpReply, dependencies: ModelsDependencies): void {
  const { routePolicy, product, startedAt } = dependencies;
  const toModel = (id: string) => ({ id, object: "model", created: startedAt, owned_by: product });
  const names = modelNames(routePolicy());
  if (path === modelsPath) {
    reply.json(200, { object: "list", data: names.map(toModel) });
    return;
  }
  const id = decode(path.slice(modelsPath.length + 1));
  if (id === undefined || !names.includes(id))
    throw new Fault("not_found", "no such model", { field: "model", next: `see GET ${modelsPath}` });
  reply.json(200, toModel(id));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // half of an escape names nothing
    return undefined;
  }
}
