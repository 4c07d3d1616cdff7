// The interfaces of OpenAI's making, and what the config says of them. What answers is loaded by the first request.

import type { Config } from "../settings/config.ts";
import type { HttpReply, HttpRequest, Route } from "../ports/route.ts";
import type { ChatDependencies } from "./chat-completions.ts";
import { renderOpenAiError } from "./errors.ts";
import type { PictureLimits } from "./pictures.ts";

export interface OpenAiDependencies extends Omit<ChatDependencies, "pictures"> {
  readonly config: () => Config["gateway"]["http"];
  readonly product: string;
}

const defaultBodyBytes = 20 * 1024 * 1024;
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

interface PictureKeys {
  readonly allowUrl?: boolean;
  readonly allowedMimes?: readonly string[];
  readonly maxBytes?: number;
  readonly maxRedirects?: number;
  readonly timeoutMs?: number;
}

function toPictureLimits(keys: PictureKeys): PictureLimits {
  return {
    allowUrl: keys.allowUrl ?? true,
    mimeTypes: keys.allowedMimes ?? pictureTypes,
    maxBytes: keys.maxBytes ?? 10 * 1024 * 1024,
    maxRedirects: keys.maxRedirects ?? 3,
    timeoutMs: keys.timeoutMs ?? 10_000,
  };
}
