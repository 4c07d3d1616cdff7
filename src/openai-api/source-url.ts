// `source`, the form of older servers for pictures and files.

import { asText, refuseField, type Body } from "./fields.ts";

/** `{type: "url", url}` or `{type: "base64", media_type, data}` as one URL. @throws Fault `invalid_params` */
export function sourceUrl(source: Body, field: string): string {
  if (source["type"] === "url") return asText(source["url"], `${field}.url`);
  if (source["type"] === "base64")
    return `data:${asText(source["media_type"], `${field}.media_type`)};base64,${asText(source["data"], `${field}.data`)}`;
  throw refuseField(`${field}.type`, "must be url or base64");
}
