// Who comes through Tailscale Serve: it names the person in headers, which anybody on this machine could write. So Tailscale
// itself is asked whose address it is, and even then only a device that its owner approves gets in (S15).

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import type { Clock } from "../../base/clock.ts";
import { isRecord, parseJson } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import { createSemaphore } from "../../base/semaphore.ts";

const whoisTimeoutMs = 5_000;
const keepKnownMs = 60_000;
const keepUnknownMs = 5_000;
const maxKept = 256;
/** Questions at once: a stranger's many addresses must not become many processes. */
const maxAsking = 2;
const maxWaiting = 32;

/** The login that an address belongs to; undefined when it cannot be told. */
export type Whois = (address: string) => Promise<string | undefined>;

export interface TailscaleDependencies {
  readonly clock: Clock;
  readonly isAccepted: () => boolean;
  readonly whois: Whois;
}

type Request = Pick<IncomingMessage, "headers"> & { readonly socket: Pick<IncomingMessage["socket"], "remoteAddress"> };

/** @returns the proven login of whoever is behind the request; undefined for all others. */
export function createTailscaleLogin(
  dependencies: TailscaleDependencies,
): (request: Request) => Promise<string | undefined> {
  const whois = createKept(dependencies);
  return async (request) => {
    const claim = dependencies.isAccepted() ? readClaim(request) : undefined;
    if (!claim) return undefined;
    const login = await whois(claim.address);
    return login !== undefined && login.toLowerCase() === claim.login.toLowerCase() ? login : undefined;
  };
}

/** What Serve writes, and only what comes from this machine. */
function readClaim({ headers, socket }: Request): { address: string; login: string } | undefined {
  const from = (socket.remoteAddress ?? "").replace(/^::ffff:/u, "");
  const isServed = headers["x-forwarded-proto"] !== undefined && headers["x-forwarded-host"] !== undefined;
  if (!isServed || (from !== "::1" && !from.startsWith("127."))) return undefined;
  const address = single(headers["x-forwarded-for"]);
  const login = single(headers["tailscale-user-login"]);
  return address && login && isIP(address) !== 0 ? { address, login } : undefined;
}

const single = (value: string | readonly string[] | undefined) =>
  typeof value === "string" ? value.trim() : undefined;

function createKept({ clock, whois }: TailscaleDependencies): Whois {
  const known = new Map<string, { login: string | undefined; until: number }>();
  const places = createSemaphore(maxAsking);
  return async (address) => {
    const kept = known.get(address);
    if (kept && clock.monotonic() < kept.until) return kept.login;
    if (places.waiting >= maxWaiting) return undefined;
    const release = await places.acquire();
    try {
      const login = await whois(address);
      known.delete(address);
      known.set(address, { login, until: clock.monotonic() + (login === undefined ? keepUnknownMs : keepKnownMs) });
      for (const oldest of known.keys()) {
        if (known.size <= maxKept) break;
        known.delete(oldest);
      }
      return login;
    } finally {
      release();
    }
  };
}

/** Asks the `tailscale` program; never throws. */
export function createWhois({ clock, log, path }: { clock: Clock; log: Log; path: () => string }): Whois {
  return async (address) => {
    try {
      const { createRunProcess, findProgram } = await import("../../platform/process.ts");
      const program =
        (await findProgram("tailscale", { path: path(), cwd: "/" })) ??
        (await findProgram("/Applications/Tailscale.app/Contents/MacOS/Tailscale", { path: "", cwd: "/" }));
      if (program === undefined) {
        log.warn("cannot ask Tailscale who is there: the tailscale program was not found");
        return undefined;
      }
      const { exitCode, stdout } = await createRunProcess(clock)({
        program,
        argv: ["tailscale", "whois", "--json", address],
        env: { PATH: path() },
        timeoutMs: whoisTimeoutMs,
        maxOutputBytes: 256 * 1024,
      });
      return exitCode === 0 ? loginIn(parseJson(stdout)) : undefined;
    } catch (error) {
      log.warn("cannot ask Tailscale who is there", { error });
      return undefined;
    }
  };
}

function loginIn(answer: unknown): string | undefined {
  const profile = isRecord(answer) ? answer["UserProfile"] : undefined;
  const login = isRecord(profile) ? profile["LoginName"] : undefined;
  return typeof login === "string" && login !== "" ? login : undefined;
}
