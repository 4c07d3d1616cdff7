// Stand-ins for the programs that manage services: shell scripts on a path of their own, which note how they are called and say
// what the real ones say.

import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

export interface FakeTools {
  /** The folder of the scripts, before the usual ones. */
  readonly path: string;
  /** For what the scripts remember; `$STATE` in them. */
  readonly state: string;
  /** `body` is shell; "$*" are the arguments. */
  write(name: string, body: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Calls since the last time, one line each: the name and its arguments. */
  calls(): Promise<string[]>;
}

export async function createFakeTools(folder: string): Promise<FakeTools> {
  const bin = join(folder, "fake-bin");
  const state = join(folder, "fake-state");
  const log = join(folder, "calls.log");
  await mkdir(bin, { recursive: true });
  await mkdir(state, { recursive: true });
  return {
    path: [bin, "/usr/bin", "/bin"].join(delimiter),
    state,
    async write(name, body) {
      const file = join(bin, name);
      await writeFile(file, `#!/bin/sh\nSTATE='${state}'\necho "${name} $*" >> '${log}'\n${body}\n`);
      await chmod(file, 0o755);
    },
    remove: (name) => rm(join(bin, name), { force: true }),
    async calls() {
      const text = await readFile(log, "utf8").catch(() => "");
      await rm(log, { force: true });
      return text.split("\n").filter((line) => line !== "");
    },
  };
}

/** systemd as it is: it knows the unit once it was told to read the folder again, and remembers what is enabled and active. */
export const workingSystemctl = (units: string) => `
[ "$1" = --user ] && shift
verb=$1; shift
case "$verb" in
  show)
    if [ "$1" = --property ]; then echo "Version=252.38-1~deb12u1"; exit 0; fi
    if [ -f "$STATE/known-$1" ]; then echo LoadState=loaded; else echo LoadState=not-found; fi
    if [ -f "$STATE/enabled" ]; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi
    if [ -f "$STATE/active" ]; then
      printf 'ActiveState=active\\nSubState=running\\nMainPID=4711\\nExecMainStatus=0\\nExecMainCode=0\\nResult=success\\n'
    else
      printf 'ActiveState=inactive\\nSubState=dead\\nMainPID=0\\nExecMainStatus=0\\nExecMainCode=0\\nResult=success\\n'
    fi ;;
  daemon-reload) for file in '${units}'/*.service; do [ -f "$file" ] && touch "$STATE/known-$(basename "$file")"; done; exit 0 ;;
  enable)
    if [ ! -f "$STATE/known-$1" ]; then echo "Failed to enable unit: Unit file $1 does not exist." >&2; exit 1; fi
    touch "$STATE/enabled"
    echo "Created symlink default.target.wants/$1" >&2 ;;
  disable) rm -f "$STATE/enabled" "$STATE/active" "$STATE/known-$2" ;;
  start|restart) touch "$STATE/active" ;;
  stop) rm -f "$STATE/active" ;;
  *) exit 0 ;;
esac`;
