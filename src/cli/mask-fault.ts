// What a command ends with, without the secrets that it may hold.

import { Fault } from "../base/fault.ts";
import { secretVariables } from "../platform/env.ts";
import { knownSecrets, mask as stars, redactText } from "../platform/redact.ts";

/** A bug may say anything; what we say ourselves holds no secret but one that was handed in. `patterns`: what is known beside it. */
export function maskFault(fault: Fault, patterns: readonly RegExp[] = []): Fault {
  const known = knownSecrets(secretVariables());
  const all = [...(known ? [known] : []), ...patterns];
  const mask = (text: string) =>
    fault.code === "internal"
      ? redactText(text, all)
      : all.reduce((masked, pattern) => masked.replace(pattern, stars), text);
  const { code, field, next, details, payload } = fault;
  return new Fault(code, mask(fault.message), {
    ...(field === undefined ? {} : { field }),
    ...(next === undefined ? {} : { next: mask(next) }),
    ...(details === undefined ? {} : { details }),
    ...(payload === undefined ? {} : { payload }),
  });
}
