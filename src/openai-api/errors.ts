// Errors in the form that OpenAI's clients read.

import { faultCodes, renderFault, type Fault } from "../base/fault.ts";

export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function renderOpenAiError(fault: Fault): OpenAiError {
  const { http } = faultCodes[fault.code];
  const code = fault.code === "unauthorized" ? "invalid_api_key" : fault.code;
  return { error: { message: renderFault(fault), type: typeOf(http), param: fault.field ?? null, code } };
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}
