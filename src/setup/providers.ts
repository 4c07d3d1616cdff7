// Where answers may come from, as a person chooses between them at the beginning.

import { builtIns } from "../agent/models.ts";

export interface ProviderChoice {
  /** For `--auth-choice`. */
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  /** Its id in `models.providers`. */
  readonly provider: string;
  /** Variables that may hold the key; the first one is told to people. */
  readonly variables: readonly string[];
  readonly isKeyNeeded: boolean;
  readonly defaultModel: string | undefined;
  /** Absent: the vendor's own address. */
  readonly baseUrl?: string;
}

function vendor(id: string, label: string, provider: keyof typeof builtIns): ProviderChoice {
  const { keys, defaultModel } = builtIns[provider];
  return { id, label, hint: "API key", provider, variables: keys, isKeyNeeded: true, defaultModel };
}

export const providerChoices: readonly ProviderChoice[] = [
  vendor("anthropic-api-key", "Anthropic (Claude)", "anthropic"),
  vendor("openai-api-key", "OpenAI (GPT)", "openai"),
  vendor("gemini-api-key", "Google (Gemini)", "google"),
  {
    id: "ollama",
    label: "Ollama",
    hint: "on this machine or yours, no key",
    provider: "ollama",
    variables: ["OLLAMA_API_KEY"],
    isKeyNeeded: false,
    defaultModel: "llama3.2",
    baseUrl: "http://127.0.0.1:11434/v1",
  },
  {
    id: "custom-api-key",
    label: "Another server that speaks OpenAI's chat completions",
    hint: "LM Studio, vLLM, llama.cpp, routers",
    provider: "custom",
    variables: ["CUSTOM_API_KEY"],
    isKeyNeeded: false,
    defaultModel: undefined,
    baseUrl: "http://127.0.0.1:1234/v1",
  },
];

/** Names of older versions, and what people type. */
const aliases: Readonly<Record<string, string>> = {
  apiKey: "anthropic-api-key",
  anthropic: "anthropic-api-key",
  openai: "openai-api-key",
  gemini: "gemini-api-key",
  google: "gemini-api-key",
  custom: "custom-api-key",
};

/** undefined: there is no such choice. */
export function findProvider(id: string): ProviderChoice | undefined {
  return providerChoices.find((choice) => choice.id === (aliases[id] ?? id));
}
