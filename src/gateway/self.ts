// What the Gateway says of itself among those present.

import { arch, hostname, networkInterfaces, platform, release } from "node:os";

import type { PresenceDependencies } from "./presence.ts";

const families: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "Mac", win32: "Windows" };

/** The address is the first that others could reach; there is none on a machine without a network. */
export function describeSelf(version: string): PresenceDependencies["self"] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const ip = addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  return {
    host: hostname(),
    ...(ip === undefined ? {} : { ip }),
    version,
    platform: `${platform()} ${release()}`,
    deviceFamily: families[platform()] ?? "Linux",
    modelIdentifier: arch(),
  };
}
