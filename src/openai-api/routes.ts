// The interfaces of OpenAI's making, and what the config says of them. What answers is loaded by the first request.

import type { Config } from "../settings/config.ts";
import type { Embed } from "../ports/embedding.ts";
import type { HttpReply, HttpRequest, Route } from "../ports/route.ts";
import { renderOpenAiError } from "./errors.ts";
import type { PictureLimits } from "./pictures.ts";
import type { FileLimits } from "./response-files.ts";
import type { ResponseDependencies } from "./responses.ts";

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
  return [
    {
      name: "chat-completions",
      matches: (path) => path === "/v1/chat/completions",
      methods: ["POST"],
      access: { scope: "operator.write" },
      isEnabled: () => chat().enabled === true,
      maxBodyBytes: () => chat().maxBodyBytes ?? defaultBodyBytes,
      renderError: renderOpenAiError,
      async answer(request: HttpRequest, reply: HttpReply) {
        const { answerChat } = await import("./chat-completions.ts");
        await answerChat(request, reply, { ...dependencies, pictures });
      },
    },
    {
      name: "embeddings",
      matches: (path) => path === "/v1/embeddings",
      methods: ["POST"],
      access: { scope: "operator.write" },
      isEnabled: () => chat().enabled === true,
      maxBodyBytes: () => chat().maxBodyBytes ?? defaultBodyBytes,
      renderError: renderOpenAiError,
      async answer(request: HttpRequest, reply: HttpReply) {
        const { answerEmbeddings } = await import("./embeddings.ts");
        await answerEmbeddings(request, reply, dependencies);
      },
    },
    {
      name: "responses",
      matches: (path) => path === "/v1/responses",
      methods: ["POST"],
      access: { scope: "operator.write" },
      isEnabled: () => responses().enabled === true,
      maxBodyBytes: () => responses().maxBodyBytes ?? defaultBodyBytes,
      renderError: renderOpenAiError,
      async answer(request: HttpRequest, reply: HttpReply) {
        const { answerResponse } = await import("./responses.ts");
        await answerResponse(request, reply, {
          ...dependencies,
          pictures: () => toPictureLimits(responses().images ?? {}),
          files: () => toFileLimits(responses().files ?? {}),
        });
      },
    },
    {
      name: "stored-responses",
      matches: (path) => /^\/v1\/responses\/[^/]+$/u.test(path),
      methods: ["GET", "DELETE"],
      access: { scope: "operator.write" },
      isEnabled: () => responses().enabled === true,
      maxBodyBytes: () => 0,
      renderError: renderOpenAiError,
      async answer(request: HttpRequest, reply: HttpReply) {
        const { answerStored } = await import("./responses.ts");
        await answerStored(request, reply, dependencies.database);
      },
    },
    {
      name: "models",
      matches: (path) => path === "/v1/models" || path.startsWith("/v1/models/"),
      methods: ["GET"],
      access: { scope: "operator.read" },
      isEnabled: () => chat().enabled === true || responses().enabled === true,
      maxBodyBytes: () => 0,
      renderError: renderOpenAiError,
      async answer(request: HttpRequest, reply: HttpReply) {
        const { answerModels } = await import("./models.ts");
        answerModels(request, reply, { ...dependencies, startedAt });
      },
    },
  ];
}

interface FetchKeys {
  readonly allowUrl?: boolean;
  readonly allowedMimes?: readonly string[];
  readonly maxBytes?: number;
  readonly maxRedirects?: number;
  readonly timeoutMs?: number;
}

interface FileKeys extends FetchKeys {
  readonly maxChars?: number;
  readonly pdf?: { readonly maxPages?: number };
}

function toFileLimits(keys: FileKeys): FileLimits {
  return {
    allowUrl: keys.allowUrl ?? true,
    mimeTypes: keys.allowedMimes ?? fileTypes,
    maxBytes: keys.maxBytes ?? 5 * 1024 * 1024,
    maxChars: keys.maxChars ?? 200_000,
    maxRedirects: keys.maxRedirects ?? 3,
    timeoutMs: keys.timeoutMs ?? 10_000,
    maxPages: keys.pdf?.maxPages ?? 4,
  };
}

function toPictureLimits(keys: FetchKeys): PictureLimits {
  return {
    allowUrl: keys.allowUrl ?? true,
    mimeTypes: keys.allowedMimes ?? pictureTypes,
    maxBytes: keys.maxBytes ?? 10 * 1024 * 1024,
    maxRedirects: keys.maxRedirects ?? 3,
    timeoutMs: keys.timeoutMs ?? 10_000,
  };
}
