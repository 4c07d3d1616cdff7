// The interfaces of OpenAI's making, and what the config says of them. What answers is loaded by the first request.

import type { Config } from "../settings/config.ts";
import type { Embed } from "../ports/embedding.ts";
import type { Route } from "../ports/route.ts";
import { renderOpenAiError } from "./errors.ts";
import type { FileLimits } from "./response-files.ts";
import type { ResponseDependencies } from "./responses.ts";
import type { SourceLimits } from "./source.ts";

export interface OpenAiDependencies extends Omit<ResponseDependencies, "pictures" | "files"> {
  readonly config: () => Config["gateway"]["http"];
  readonly product: string;
  readonly embed: Embed;
}

const defaultBodyBytes = 20 * 1024 * 1024;
const fileTypes = ["text/plain", "text/markdown", "text/html", "text/csv", "application/json", "application/pdf"];
const pictureTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"];

export function createOpenAiRoutes(dependencies: OpenAiDependencies): readonly Route[] {
  const endpoints = () => dependencies.config()?.endpoints ?? {};
  const chat = () => endpoints().chatCompletions ?? {};
  const responses = () => endpoints().responses ?? {};
  const startedAt = Math.floor(dependencies.clock.now() / 1000);
  // a server of chat completions fetches nothing unless its owner says so
  const pictures = () => toPictureLimits({ allowUrl: false, ...chat().images });
  const chatIsOn = () => chat().enabled === true;
  const responsesAreOn = () => responses().enabled === true;
  const chatBytes = () => chat().maxBodyBytes ?? defaultBodyBytes;
  return [
    endpoint("chat-completions", {
      matches: (path) => path === "/v1/chat/completions",
      example: () => "/v1/chat/completions",
      isEnabled: chatIsOn,
      maxBodyBytes: chatBytes,
      async answer(request, reply) {
        const { answerChat } = await import("./chat-completions.ts");
        await answerChat(request, reply, { ...dependencies, pictures });
      },
    }),
    endpoint("embeddings", {
      matches: (path) => path === "/v1/embeddings",
      example: () => "/v1/embeddings",
      isEnabled: chatIsOn,
      maxBodyBytes: chatBytes,
      async answer(request, reply) {
        const { answerEmbeddings } = await import("./embeddings.ts");
        await answerEmbeddings(request, reply, dependencies);
      },
    }),
    endpoint("responses", {
      matches: (path) => path === "/v1/responses",
      example: () => "/v1/responses",
      isEnabled: responsesAreOn,
      maxBodyBytes: () => responses().maxBodyBytes ?? defaultBodyBytes,
      async answer(request, reply) {
        const { answerResponse } = await import("./responses.ts");
        await answerResponse(request, reply, {
          ...dependencies,
          pictures: () => toPictureLimits(responses().images ?? {}),
          files: () => toFileLimits(responses().files ?? {}),
        });
      },
    }),
    endpoint("stored-responses", {
      matches: (path) => /^\/v1\/responses\/[^/]+$/u.test(path),
      example: () => "/v1/responses/resp_example",
      methods: ["GET", "DELETE"],
      isEnabled: responsesAreOn,
      async answer(request, reply) {
        const { answerStored } = await import("./responses.ts");
        await answerStored(request, reply, dependencies.database);
      },
    }),
    endpoint("models", {
      example: () => "/v1/models",
      matches: (path) => path === "/v1/models" || path.startsWith("/v1/models/"),
      methods: ["GET"],
      access: { scope: "operator.read" },
      isEnabled: () => chatIsOn() || responsesAreOn(),
      async answer(request, reply) {
        const { answerModels } = await import("./models.ts");
        answerModels(request, reply, { ...dependencies, startedAt });
      },
    }),
  ];
}

/** A POST for who may write, without a body, unless the parts say otherwise. */
function endpoint(
  name: string,
  parts: Pick<Route, "matches" | "example" | "isEnabled" | "answer"> &
    Partial<Pick<Route, "methods" | "access" | "maxBodyBytes">>,
): Route {
  return {
    name,
    methods: ["POST"],
    access: { scope: "operator.write" },
    maxBodyBytes: () => 0,
    renderError: renderOpenAiError,
    ...parts,
  };
}

interface SourceKeys {
  readonly allowUrl?: boolean;
  readonly allowedMimes?: readonly string[];
  readonly maxBytes?: number;
  readonly maxRedirects?: number;
  readonly timeoutMs?: number;
}

interface FileKeys extends SourceKeys {
  readonly maxChars?: number;
  readonly pdf?: { readonly maxPages?: number };
}

function toFileLimits(keys: FileKeys): FileLimits {
  return {
    ...toSourceLimits(keys, { mimeTypes: fileTypes, maxBytes: 5 * 1024 * 1024 }),
    maxChars: keys.maxChars ?? 200_000,
    maxPages: keys.pdf?.maxPages ?? 4,
  };
}

const toPictureLimits = (keys: SourceKeys): SourceLimits =>
  toSourceLimits(keys, { mimeTypes: pictureTypes, maxBytes: 10 * 1024 * 1024 });

function toSourceLimits(keys: SourceKeys, defaults: Pick<SourceLimits, "mimeTypes" | "maxBytes">): SourceLimits {
  return {
    allowUrl: keys.allowUrl ?? true,
    mimeTypes: keys.allowedMimes ?? defaults.mimeTypes,
    maxBytes: keys.maxBytes ?? defaults.maxBytes,
    maxRedirects: keys.maxRedirects ?? 3,
    timeoutMs: keys.timeoutMs ?? 10_000,
  };
}
