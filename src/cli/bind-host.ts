// `--bind` and gateway.bind -> the address to listen on. A mode that cannot be had is an error, never a wider bind.

import { networkInterfaces } from "node:os";
import { isIPv4 } from "node:net";

import { Fault } from "../base/fault.ts";
import type { Config } from "../settings/config.ts";

const loopback = "127.0.0.1";
const modes = ["loopback", "lan", "tailnet", "auto", "custom"];

/** @throws Fault `usage` for an unknown mode, `unreachable` when there is no such address. */
export function decideBindHost({ flag, settings }: { flag: string | undefined; settings: Config["gateway"] }): string {
  const mode = flag ?? settings.bind ?? "loopback";
  switch (mode) {
    case "loopback":
    case "auto":
      return loopback;
    case "lan":
      return "0.0.0.0";
    case "tailnet":
      return tailnetAddress();
    case "custom":
      return customAddress(settings.customBindHost);
    default:
      throw new Fault("usage", `Invalid --bind: ${mode}`, { field: "--bind", next: `use one of: ${modes.join(", ")}` });
  }
}

/** Where a client on this machine finds the Gateway: on the one address it listens on, else on loopback. Never throws. */
export function decideLocalHost({ bind, customBindHost }: Config["gateway"]): string {
  if (bind === "tailnet") return findTailnetAddress() ?? loopback;
  if (bind === "custom" && customBindHost && isIPv4(customBindHost) && customBindHost !== "0.0.0.0")
    return customBindHost;
  return loopback;
}

/** Tailscale gives out addresses of 100.64.0.0/10 (RFC 6598). */
export function findTailnetAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ address }) => {
    const [first, second] = address.split(".").map(Number);
    return isIPv4(address) && first === 100 && (second ?? 0) >= 64 && (second ?? 0) <= 127;
  })?.address;
}

function tailnetAddress(): string {
  const found = findTailnetAddress();
  if (found) return found;
  throw new Fault("unreachable", "no Tailscale address on this machine", {
    field: "gateway.bind",
    next: "start Tailscale, or use --bind loopback",
  });
}

function customAddress(host: string | undefined): string {
  if (host && isIPv4(host)) return host;
  throw new Fault("usage", "bind custom needs gateway.customBindHost, an IPv4 address", {
    field: "gateway.customBindHost",
  });
}
