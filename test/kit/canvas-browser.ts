// A browser, and an operator's connection with the address of the canvas that it was given.

import { openChromium, type Browser } from "./chromium.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { openRawClient, type RawClient } from "./raw-client.ts";

export interface CanvasBrowser {
  readonly browser: Browser;
  readonly client: RawClient;
  readonly capabilityUrl: string;
  close(): Promise<void>;
}

/** `attacker.test` leads to this machine, too. */
export async function openCanvasBrowser(gateway: GatewayProcess, chromium: string): Promise<CanvasBrowser> {
  const browser = await openChromium(chromium, ["attacker.test"]);
  const client = await openRawClient(gateway.port, gateway.token);
  const { payload } = await client.connect({ minProtocol: 3, maxProtocol: 3 });
  return {
    browser,
    client,
    capabilityUrl: String(payload?.["canvasHostUrl"]),
    async close() {
      client.close();
      await browser.close();
    },
  };
}
