// `completion`: prints what teaches a shell this program's commands, or puts it where that shell looks for it.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

import { Fault } from "../../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../../platform/files.ts";
import { commands, type Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { renderBash } from "./bash.ts";
import { renderFish } from "./fish.ts";
import { toLines } from "./lines.ts";
import { renderPowershell } from "./powershell.ts";
import { renderZsh } from "./zsh.ts";

const shells = { bash: renderBash, zsh: renderZsh, fish: renderFish, powershell: renderPowershell } as const;
type Shell = keyof typeof shells;
const isShell = (name: string): name is Shell => Object.hasOwn(shells, name);

export const run: Run = async (context, { args, options }) => {
  const { brand, out, flags } = context;
  const shell = decideShell(context, args[0]);
  const script = shells[shell](brand.name, toLines(commands));
  if (options["install"] !== true) {
    out.write(script);
    return 0;
  }
  const { path, needs } = await findPlace(context, shell);
  const old = await readTextIfExists(path);
  await ensureFolder(dirname(path), 0o755);
  if (old !== script) await writeFileAtomic(path, script, { mode: 0o644 });
  const result = old === undefined ? "installed" : old === script ? "already-installed" : "updated";
  if (flags.json === true) {
    out.json({ ok: true, result, shell, path, ...(needs === undefined ? {} : { needs }), undo: `rm ${path}` });
    return 0;
  }
  out.line(`${result === "already-installed" ? "already there" : result}: ${path}`);
  if (needs !== undefined) out.line(`next: ${needs}`);
  else out.line("next: open a new shell");
  out.line(`to undo: rm ${path}`);
  return 0;
};

function decideShell({ env, command }: Context, given: string | undefined): Shell {
  const name = given ?? basename(env.raw("SHELL") ?? "");
  if (isShell(name)) return name;
  throw new Fault("usage", given === undefined ? "which shell?" : `no such shell: ${given}`, {
    next: `name one: ${command(`completion ${Object.keys(shells).join("|")}`)}`,
  });
}

interface Place {
  readonly path: string;
  /** What else the shell must be told; undefined when it looks there by itself. */
  readonly needs?: string;
}

/** Files that `--install` wrote. */
export async function findInstalled(context: Context): Promise<readonly string[]> {
  const places = await Promise.all(
    Object.keys(shells)
      .filter(isShell)
      .map((shell) => findPlace(context, shell)),
  );
  return places.map(({ path }) => path).filter((path) => existsSync(path));
}

async function findPlace({ brand, env }: Context, shell: Shell): Promise<Place> {
  const home = homedir();
  const data = env.raw("XDG_DATA_HOME") ?? join(home, ".local", "share");
  const config = env.raw("XDG_CONFIG_HOME") ?? join(home, ".config");
  const { name } = brand;
  switch (shell) {
    case "fish":
      return { path: join(config, "fish", "completions", `${name}.fish`) };
    case "zsh": {
      const folder = env.raw("ZDOTDIR") ?? home;
      const path = join(folder, ".zfunc", `_${name}`);
      const rc = (await readTextIfExists(join(folder, ".zshrc"))) ?? "";
      if (rc.includes(".zfunc")) return { path };
      return {
        path,
        needs: `add to ${join(folder, ".zshrc")}: fpath+=(${dirname(path)}); autoload -Uz compinit; compinit`,
      };
    }
    case "powershell": {
      const folder = process.platform === "win32" ? join(home, "Documents", "PowerShell") : join(config, "powershell");
      const path = join(folder, `${name}-completion.ps1`);
      return { path, needs: `add to $PROFILE: . "${path}"` };
    }
    default: {
      const path = join(data, "bash-completion", "completions", name);
      const places = ["/usr/share", "/usr/local/share", "/opt/homebrew/share", "/opt/homebrew/etc/profile.d"];
      if (
        places.some((place) => existsSync(join(place, "bash-completion")) || existsSync(`${place}/bash_completion.sh`))
      )
        return { path };
      return { path, needs: `add to ${join(home, ".bashrc")}: . ${path} (or install the package bash-completion)` };
    }
  }
}
