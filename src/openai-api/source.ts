// Where pictures and files of a request come from (a URL to fetch, or the data itself), and how much of it is taken.

import { findBase64Problem } from "../base/base64.ts";
import { Fault } from "../base/fault.ts";
import { asText, refuseField, type Body } from "../base/fields.ts";
import type { PublicFetchLimits } from "../platform/egress-public.ts";

/** Of one picture or file; `maxBytes` counts it decoded. */
export interface SourceLimits extends Pick<PublicFetchLimits, "maxBytes" | "maxRedirects" | "timeoutMs"> {
  readonly allowUrl: boolean;
  readonly mimeTypes: readonly string[];
}

/** `{type: "url", url}` or `{type: "base64", media_type, data}`, the form of older servers, as one URL. @throws Fault `invalid_params` */
export function sourceUrl(source: Body, field: string): string {
  if (source["type"] === "url") return asText(source["url"], `${field}.url`);
  if (source["type"] === "base64")
    return `data:${asText(source["media_type"], `${field}.media_type`)};base64,${asText(source["data"], `${field}.data`)}`;
  throw refuseField(`${field}.type`, "must be url or base64");
}

/** @throws Fault `invalid_params` */
export function checkKind(mimeType: string, field: string, { mimeTypes }: SourceLimits): void {
  if (mimeTypes.includes(mimeType)) return;
  throw refuseField(field, `is ${mimeType || "of no type"}`, `use one of ${mimeTypes.join(", ")}`);
}

/** @throws Fault `too_large` or `invalid_params` */
export function checkBase64(data: string, field: string, { maxBytes }: SourceLimits): void {
  const problem = findBase64Problem(data, maxBytes);
  if (problem === "too-large") throw new Fault("too_large", `${field} is larger than ${maxBytes} bytes`, { field });
  if (problem !== undefined) throw refuseField(field, "is not base64");
}
