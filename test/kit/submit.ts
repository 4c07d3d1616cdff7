// A client that does not give up: its message is in once the Gateway has said so, over as many of its lives as it takes.

import assert from "node:assert/strict";

import type { GatewayProcess } from "./gateway-process.ts";
import { openRawClient, type RawClient } from "./raw-client.ts";

/** Submits one message until the Gateway has said `accepted`, over as many of its lives as it takes. */
export async function submit(gateway: GatewayProcess, chat: number, text: string): Promise<void> {
  for (;;) {
    let client: RawClient | undefined;
    try {
      client = await openRawClient(gateway.port, gateway.token);
      client.frames.length = 0;
      const gone = client.closed.then(() => Promise.reject(new Error("closed")));
      gone.catch(() => undefined);
      await Promise.race([client.connect(), gone]);
      const params = {
        message: text,
        sessionKey: `client-${chat}`,
        deliver: true,
        channel: "telegram",
        to: String(chat),
        idempotencyKey: text,
      };
      const answer = await Promise.race([client.request("agent", params), gone]);
      if (answer.ok) return;
      assert.match(answer.error?.code ?? "", /UNAVAILABLE/u, JSON.stringify(answer.error));
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // killed meanwhile: once more with the same key
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      client?.socket.terminate();
    }
  }
}
