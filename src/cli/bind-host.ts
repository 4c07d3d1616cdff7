// `--bind` and gateway.bind -> the address to listen on. A mode that cannot be had is an error, never a wider bind.

import { networkInterfaces } from "node:os";
import { isIPv4 } from "node:net";

import { Fault } from "../base/fault.ts";
import type { Config } from "../settings/config.ts";

const modes = ["loopback", "lan", "tailnet", "auto", "custom"];

/** @throws Fault `usage` for an unknown mode, `unreachable` when there is no such address. */
export function decideBindHost({ flag, settings }: { flag: string | undefined; settings: Config["gateway"] }): string {
  const mode = flag ?? settings.bind ?? "loopback";
  switch (mode) {
    case "loopback":
    case "auto":
      return "127.0.0.1";
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

/** Tailscale gives out addresses of 100.64.0.0/10 (RFC 6598). */
function tailnetAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = addresses.find(({ address }) => {
    const [first, second] = address.split(".").map(Number);
    return isIPv4(address) && first === 100 && (second ?? 0) >= 64 && (second ?? 0) <= 127;
  });
  if (found) return found.address;
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
