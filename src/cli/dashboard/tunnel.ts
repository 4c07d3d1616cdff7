// How a page of the Gateway is reached from the machine with the screen, when the command runs on another.

import { hostname, userInfo } from "node:os";

import type { GatewayTarget } from "../connection.ts";
import type { Context } from "../context.ts";

/** What to type on the machine with the screen, when this one is reached over SSH or has none; undefined when it has one. */
export function decideTunnel({ env }: Context, { port }: GatewayTarget): string | undefined {
  if (port === undefined) return undefined;
  const isRemote = ["SSH_CONNECTION", "SSH_TTY"].some((name) => env.raw(name) !== undefined);
  const hasScreen =
    process.platform !== "linux" ||
    ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].some((name) => env.raw(name) !== undefined);
  if (!isRemote && hasScreen) return undefined;
  return `ssh -N -L ${port.port}:127.0.0.1:${port.port} ${userInfo().username}@${hostname()}`;
}
