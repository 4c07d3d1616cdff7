// The Authorization header of programs (RFC 6750).

import type { IncomingHttpHeaders } from "node:http";

/** What follows `Bearer`; a password may hold spaces. */
export function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  if (!authorization || !/^bearer /iu.test(authorization)) return undefined;
  const token = authorization.slice("bearer ".length).trim();
  return token === "" ? undefined : token;
}
