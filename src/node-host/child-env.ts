// The environment of a command: what a program needs to find its user, its language and its desktop, and nothing else (S37).

import { Fault } from "../base/fault.ts";

const inherited = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "LC_MESSAGES",
  "LC_TIME",
  "LC_NUMERIC",
  "LC_COLLATE",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "TERM",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  // Windows
  "SystemRoot",
  "SystemDrive",
  "ComSpec",
  "PATHEXT",
  "USERPROFILE",
  "USERNAME",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramData",
  "ProgramFiles",
  "ProgramFiles(x86)",
];

/** They make any program load code: no approval covers that. */
const loaders =
  /^(?:LD_.*|DYLD_.*|PATH|PATHEXT|ComSpec|SystemRoot|IFS|ENV|BASH_ENV|BASH_FUNC.*|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|NODE_OPTIONS|NODE_PATH|PYTHON(?:PATH|HOME|STARTUP|INSPECT)|PERL5?(?:LIB|OPT|DB)|RUBY(?:LIB|OPT)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|GLIBC_TUNABLES|GCONV_PATH|LOCPATH)$/iu;

/** @throws Fault `invalid_params` for a variable that is no name, or that would make any program load code. */
export function buildChildEnv(
  variable: (name: string) => string | undefined,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const base = inherited.flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  for (const [name, value] of Object.entries(own)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name) || value.includes("\0")) throw refused(name, "is no variable");
    if (loaders.test(name)) throw refused(name, "would change which code programs load");
  }
  return { ...Object.fromEntries(base), ...own };
}

function refused(name: string, why: string): Fault {
  return new Fault("invalid_params", `${name.slice(0, 80)} ${why}`, { field: "env", next: "leave it out" });
}
