// This machine's device, as a client: loaded by commands that connect.

import { createDeviceTokens } from "../client/device-tokens.ts";
import { openDeviceIdentity } from "../client/device-identity.ts";
import type { ConnectOptions } from "../client/connect.ts";
import { createPrivateFiles, isNotWritable } from "../platform/private-files.ts";
import type { PrivateFiles } from "../ports/files.ts";
import type { Context } from "./context.ts";

/**
 * Made at the first connection. @returns undefined where it cannot be made: a secret still lets one in.
 * @throws Fault `storage` for a broken file.
 */
export async function openDevice(
  { paths, clock }: Pick<Context, "paths" | "clock">,
  files: PrivateFiles = createPrivateFiles(),
): Promise<ConnectOptions["device"]> {
  try {
    const identity = await openDeviceIdentity({ path: paths.deviceIdentity, files, clock });
    return { identity, tokens: createDeviceTokens({ path: paths.deviceTokens, files, isNotWritable }) };
  } catch (error) {
    if (isNotWritable(error)) return undefined;
    throw error;
  }
}
