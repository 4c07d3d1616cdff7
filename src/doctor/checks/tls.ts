// Key and certificate of the port: whether they can be used, by whom they can be read, and until when clients take them.

import { access, stat } from "node:fs/promises";

import { Fault } from "../../base/fault.ts";
import { tlsFiles, type TlsFiles } from "../../platform/paths.ts";
import { loadTls, soonDays, type TlsMaterial } from "../../platform/tls-files.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

const dayMs = 24 * 3_600_000;

export function createTlsCheck(scene: Scene): DoctorCheck {
  return {
    id: "tls",
    group: "access",
    label: "certificate",
    async run() {
      const { gateway } = await scene.config();
      if (gateway.tls?.enabled !== true || gateway.mode === "remote") return [];
      const files = tlsFiles(scene.paths, gateway.tls);
      if (gateway.tls.autoGenerate !== false && !(await hasAny(files))) return [];
      try {
        const dates = checkDates(await loadTls(files, undefined), files, scene);
        return [...dates, ...(await checkMode(files))];
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        const next = error.next ?? "mend the file";
        return [
          {
            id: "access.tls",
            severity: "error",
            message: error.message,
            next: `${next} (${error.field ?? "gateway.tls"})`,
          },
          ...(await checkMode(files)),
        ];
      }
    },
  };
}

/** Without either the next start makes both. */
async function hasAny({ certPath, keyPath }: TlsFiles): Promise<boolean> {
  const found = await Promise.allSettled([access(certPath), access(keyPath)]);
  return found.some(({ status }) => status === "fulfilled");
}

function checkDates({ startsAt, expiresAt }: TlsMaterial, { certPath }: TlsFiles, scene: Scene): DoctorFinding[] {
  const now = scene.clock.now();
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const renew = "put a newer one in its place, with its key: it counts at once";
  if (now < startsAt)
    return [
      {
        id: "access.tls-early",
        severity: "error",
        message: `the certificate ${certPath} counts from ${day(startsAt)} on: clients refuse it until then`,
        next: "set the clock of this machine right, or use a certificate that counts already",
      },
    ];
  if (now >= expiresAt)
    return [
      {
        id: "access.tls-expired",
        severity: "error",
        message: `the certificate ${certPath} ran out on ${day(expiresAt)}: most clients refuse it`,
        next: renew,
      },
    ];
  if (expiresAt - now >= soonDays * dayMs) return [];
  return [
    {
      id: "access.tls-soon",
      severity: "warning",
      message: `the certificate ${certPath} runs out on ${day(expiresAt)}`,
      next: renew,
    },
  ];
}

/** A group of the system's may read keys, as that of certificate programs does; everybody may not. */
async function checkMode({ keyPath: path }: TlsFiles): Promise<DoctorFinding[]> {
  const found = await stat(path).catch(() => undefined);
  const before = (found?.mode ?? 0) & 0o777;
  if (process.platform === "win32" || (before & 0o007) === 0) return [];
  const after = before & 0o770;
  return [
    {
      id: "access.tls-key-mode",
      severity: "error",
      message: `everybody on this machine may read the Gateway's private key: ${path}`,
      next: `chmod o= ${path}`,
      ...(found?.uid === process.getuid?.()
        ? {
            fix: {
              title: `close ${path} to others`,
              risk: "safe",
              steps: async () => [{ kind: "mode", path, before, after }],
            },
          }
        : {}),
    },
  ];
}
