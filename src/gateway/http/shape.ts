// Requests that two readers may understand in two ways, and those that mean a proxy: refused before path and credential are looked at.
// A length that can be read in two ways is refused by Node's parser.

import type { IncomingMessage } from "node:http";

export interface ShapeRefusal {
  readonly status: 400 | 431;
  readonly line: "400 Bad Request" | "431 Request Header Fields Too Large";
  readonly message: string;
}

/** Browsers send thirty, a chain of proxies some more. What is left out of a longer list could be what makes a request remote (S15). */
export const maxHeaders = 200;

/** Of two of them a proxy might look at the other one. */
const onlyOnce: ReadonlySet<string> = new Set(["host", "authorization", "origin", "content-type", "user-agent"]);

/** Undefined: it may go on. */
export function judgeShape(
  request: Pick<IncomingMessage, "rawHeaders" | "url" | "httpVersion">,
): ShapeRefusal | undefined {
  const { rawHeaders, url = "", httpVersion } = request;
  if (rawHeaders.length > 2 * maxHeaders) {
    return { status: 431, line: "431 Request Header Fields Too Large", message: `more than ${maxHeaders} headers` };
  }
  const bad = (message: string): ShapeRefusal => ({ status: 400, line: "400 Bad Request", message });
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return bad(`HTTP ${httpVersion} is not spoken here`);
  if (!url.startsWith("/")) return bad("this is no proxy: ask for a path");
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    if (onlyOnce.has(name) && seen.has(name)) return bad(`more than one header ${name}`);
    seen.add(name);
  }
  return undefined;
}
