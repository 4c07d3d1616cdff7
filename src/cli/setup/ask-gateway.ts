// Port, bind and secret of the Gateway, and whether it becomes a service.

import { Fault } from "../../base/fault.ts";
import type { GatewayAnswer } from "../../setup/answers.ts";
import { isApart, portSpacing } from "../../setup/port.ts";
import { decidePort } from "../../platform/paths.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import type { Asking } from "./ask-model.ts";
import { choosePort, findOtherPorts } from "./known-ports.ts";
import { needed, type Prompts } from "./prompts.ts";

/** The port alone, where a profile needs one of its own. */
export async function askPort(context: Context, { prompts, config, wishes }: Asking): Promise<number | undefined> {
  const suggested = await choosePort(context, wishes.answers, config);
  if (suggested === undefined) return undefined;
  return askForPort(context, { prompts, initial: suggested });
}

export async function askGateway(context: Context, { prompts, config, wishes }: Asking): Promise<GatewayAnswer> {
  const given = wishes.answers.gateway ?? {};
  const port = given.port ?? (await askAnyPort(context, { prompts, config }));
  const bind = given.bind ?? (await askBind(prompts, config));
  const auth = given.auth ?? (await askAuth(prompts, config));
  const isKept = auth === "token" || given.password !== undefined || config.gateway.auth.password !== undefined;
  const password = isKept ? given.password : await prompts.secret({ message: "Password", check: needed });
  return { ...given, port, bind, auth, ...(password === undefined ? {} : { password }) };
}

async function askAnyPort(
  context: Context,
  { prompts, config }: { prompts: Prompts; config: Config },
): Promise<number> {
  const { env, paths } = context;
  const current = decidePort({ env, configured: config.gateway.port, profile: paths.profile }).port;
  return askForPort(context, { prompts, initial: (await choosePort(context, {}, config)) ?? current });
}

async function askForPort(
  context: Context,
  { prompts, initial }: { prompts: Prompts; initial: number },
): Promise<number> {
  const others = await findOtherPorts(context);
  const text = await prompts.text({
    message: `Port (at least ${portSpacing} away from other Gateways: ${others.join(", ")})`,
    initial: String(initial),
    check(answer) {
      const port = Number(answer);
      if (!/^\d{1,5}$/u.test(answer) || port < 1 || port > 65_535) return "a number from 1 to 65535";
      return port === initial || isApart(port, others) ? undefined : `too near to another Gateway's port`;
    },
  });
  return Number(text);
}

const askBind = (prompts: Prompts, { gateway }: Config) =>
  prompts.choose({
    message: "Who can reach the port?",
    options: [
      { value: "loopback", label: "This machine", hint: "others come through a tunnel or a tailnet" },
      { value: "tailnet", label: "Your tailnet" },
      { value: "lan", label: "Every network this machine is in" },
    ],
    ...(gateway.bind === "tailnet" || gateway.bind === "lan" ? { initial: gateway.bind } : {}),
  });

const askAuth = (prompts: Prompts, { gateway }: Config) =>
  prompts.choose({
    message: "What do clients have to know?",
    options: [
      { value: "token", label: "A token", hint: "made now, unless there is one" },
      { value: "password", label: "A password" },
    ],
    ...(gateway.auth.mode === undefined ? {} : { initial: gateway.auth.mode }),
  });

/** False where the machine has no services, and says why. */
export async function askService(context: Context, prompts: Prompts): Promise<boolean> {
  const { openCliServices } = await import("../service/open.ts");
  try {
    const { manager } = await openCliServices(context, "gateway");
    const { isLoaded, runtime } = await manager.status();
    if (isLoaded) {
      prompts.step(`${manager.name} is installed already.`);
      return false;
    }
    if (runtime.status === "unknown") {
      prompts.step(`No service: ${runtime.detail ?? `${manager.label} cannot be asked`}`);
      return false;
    }
    return await prompts.confirm({
      message: `Start it with the machine (${manager.label})?`,
      initial: true,
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "aborted") throw error;
    prompts.step(`No service: ${error.message}`);
    return false;
  }
}
