// `uninstall`: services, state and workspaces go; the program itself belongs to whatever installed it.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { RemovalPart } from "../../backup/removal.ts";
import { Fault } from "../../base/fault.ts";
import type { Invocation, Run } from "../commands.ts";
import { hasPerson, isCancelled, openPrompts } from "../setup/prompts.ts";
import type { Context } from "../context.ts";
import { carryOut } from "./carry-out.ts";

const choices = ["service", "state", "workspace", "app"] as const;
type Choice = (typeof choices)[number];

export const run: Run = async (context, invocation) => {
  const chosen = await choose(context, invocation);
  if (chosen.size === 0) {
    context.out.error("nothing was removed");
    return 1;
  }
  const parts: RemovalPart[] = [
    ...(chosen.has("state") ? (["config", "credentials", "sessions", "rest"] as const) : []),
    ...(chosen.has("workspace") ? (["workspaces"] as const) : []),
  ];
  const service = chosen.has("service") ? "uninstall" : parts.length > 0 ? "stop" : "leave";
  const what = [...chosen].join(", ");
  const question = `Uninstall ${what} of ${context.brand.product}?`;
  const wanted = { parts: new Set(parts), service, question, hasFolder: chosen.has("state") } as const;
  const code = await carryOut(context, wanted, invocation);
  if (code === 0 && context.flags.json !== true) await tellRest(context, chosen);
  return code;
};

async function choose({ flags, command }: Context, { options }: Invocation): Promise<ReadonlySet<Choice>> {
  const given = new Set(options["all"] === true ? choices : choices.filter((choice) => options[choice] === true));
  if (given.size > 0) return given;
  if (flags.json === true || options["nonInteractive"] === true || !hasPerson())
    throw new Fault("usage", "uninstall what?", {
      next: `say it: ${command("uninstall --service --state --workspace --dry-run")}, or --all`,
    });
  const prompts = await openPrompts();
  const answered = prompts.chooseMany<Choice>({
    message: "What is to go?",
    options: [
      { value: "service", label: "services", hint: "of the Gateway and of a node" },
      { value: "state", label: "state", hint: "config, credentials, conversations" },
      { value: "workspace", label: "workspaces", hint: "what agents wrote" },
    ],
  });
  const answers = await answered.catch((error: unknown) => {
    if (isCancelled(error)) return [];
    throw error;
  });
  return new Set(answers);
}

/** What is not ours to remove. */
async function tellRest(context: Context, chosen: ReadonlySet<Choice>): Promise<void> {
  const { brand, out } = context;
  const app = `/Applications/${brand.product}.app`;
  if (chosen.has("app") && process.platform === "darwin" && existsSync(app))
    out.line(`The app is a program of its own: move ${app} to the trash.`);
  if (!chosen.has("state")) return;
  const logs = await findLogs(context);
  const { findInstalled } = await import("../completion/completion.ts");
  // one for all profiles
  const completions = context.paths.profile === undefined ? await findInstalled(context) : [];
  if (logs.length > 0) out.line(`Its log stays, to be read: rm ${logs.join(" ")}`);
  if (completions.length > 0) out.line(`The completion of the shell stays: rm ${completions.join(" ")}`);
  out.line(`The program itself stays: remove it the way it came (npm uninstall -g, or delete the checkout).`);
}

/** Of this profile alone. */
async function findLogs({ paths }: Context): Promise<readonly string[]> {
  const { logs: folder, logPrefix: prefix } = paths;
  const names = await readdir(folder).catch(() => []);
  const own = names.filter(
    (name) => name.startsWith(prefix) && /^-\d{4}-\d\d-\d\d\.log/u.test(name.slice(prefix.length)),
  );
  return own.toSorted().map((name) => join(folder, name));
}
