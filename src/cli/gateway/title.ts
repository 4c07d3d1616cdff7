// What `ps`, `top` and `pgrep -f "openclaw gateway"` see of a running Gateway: its name, profile and port, and no argument of its
// command line, which may hold a secret.

import type { Brand } from "../../base/brand.ts";

/** Systems give a title no more room than the command line had. */
export function renameProcess(brand: Brand, { profile, port }: { profile: string | undefined; port: number }): void {
  process.title = [brand.name, "gateway", ...(profile === undefined ? [] : [profile]), `:${port}`].join(" ");
}
