// Sending a file of a folder: its type, its mark, and nothing at all for who has it already. Small ones go in one piece.

import type { HttpReply, HttpRequest } from "../ports/route.ts";
import type { StaticFile } from "./static-files.ts";

const atOnceBytes = 256 * 1024;

/** Closes the file. `headers` win over its own. @throws Fault when it became shorter meanwhile: the answer breaks off. */
export async function sendStaticFile(
  file: StaticFile,
  { request, reply }: { readonly request: HttpRequest; readonly reply: HttpReply },
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const marked = { etag: file.etag, ...headers };
  try {
    if (isKnown(request.headers["if-none-match"], file.etag)) {
      // without a length: what is not sent has none of its own
      reply.stream(304, marked).end();
      return;
    }
    const typed = { "content-type": file.mimeType, ...marked };
    if (file.size <= atOnceBytes) {
      reply.send(200, await file.read(), typed);
      return;
    }
    const stream = reply.stream(200, { ...typed, "content-length": file.size });
    for await (const part of file.parts()) if (!(await stream.write(part))) return;
    stream.end();
  } finally {
    await file.close();
  }
}

function isKnown(header: string | undefined, etag: string): boolean {
  const marks = header?.split(",").map((mark) => mark.trim().replace(/^W\//u, ""));
  return marks?.some((mark) => mark === etag || mark === "*") ?? false;
}
