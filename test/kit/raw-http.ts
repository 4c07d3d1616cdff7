// One plain HTTP request by hand: any method and headers, and what came back whatever it is.

import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Sent in chunks when the headers name no length. */
  readonly body?: string | Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** On a connection of its own. @throws when it closes without an answer. */
export function askHttp(url: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      // what follows the head of an answer is of no use when the connection breaks in it
      response.on("error", reject);
      response.on("end", () => resolve({ status: statusCode, headers: response.headers, text }));
    });
    // the answer may come while the body is still on its way, and be followed by a reset
    request.on("error", reject);
    // a length that was announced and never comes: the answer must not wait for it
    if (body === undefined && headers["content-length"] !== undefined) request.flushHeaders();
    else request.end(body);
  });
}
