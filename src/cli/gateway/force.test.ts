import assert from "node:assert/strict";
import { test } from "node:test";

import { faultOf } from "../../../test/kit/fault.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { freePort, type ForceDependencies } from "./force.ts";

/** A process that ends at once when it is told to; `command` is `server`. */
function machine(pids: number[], changes: Partial<ForceDependencies> = {}) {
  const said: string[] = [];
  const killed: string[] = [];
  let listening = pids;
  const dependencies: ForceDependencies = {
    lsof: async () => listening.map((pid) => ({ pid, command: "server", address: "127.0.0.1:1" })),
    usage: async (port) => ({ port, status: "free", listeners: [] }),
    processes: { isAlive: async () => false, describe: async (pid) => ({ pid, command: "server", user: "ann" }) },
    instances: [],
    clock: systemClock,
    log: { ...silentLog, info: (text) => said.push(text), warn: (text) => said.push(text) },
    command: (words) => `openclaw --profile x ${words}`,
    kill(pid, signal) {
      killed.push(`${pid} ${signal}`);
      listening = listening.filter((other) => other !== pid);
    },
    ...changes,
  };
  return { dependencies, said, killed };
}

const gateway = {
  pid: 4,
  brand: "openclaw",
  version: "1",
  startedAt: 1,
  ports: { gateway: 7 },
  state: "/s",
  config: "/c",
  workspace: "/w",
  log: "/l",
  isService: false,
};

test("T29: the process that asks is never ended, whatever lsof says", async () => {
  const { dependencies, killed, said } = machine([process.pid]);
  await freePort(7, dependencies);
  assert.deepEqual([killed, said], [[], ["force: no listeners on port 7"]]);
});

test("T29: a process that may not be ended is a failure that names it and its user", async () => {
  const kill = () => {
    throw Object.assign(new Error("no"), { code: "EPERM" });
  };
  const fault = await faultOf(freePort(7, machine([4], { kill }).dependencies));
  assert.equal(fault.message, "port 7 is held by pid 4 (server) (user ann), which this user may not end");
  assert.match(fault.next ?? "", /stop it as ann, or start with another --port/u);
});

test("one that has ended by itself meanwhile is no trouble", async () => {
  const { dependencies } = machine([4]);
  let isGone = false;
  const kill = () => {
    isGone = true;
    throw Object.assign(new Error("no"), { code: "ESRCH" });
  };
  const lsof = async (port: number) => (isGone ? [] : dependencies.lsof(port));
  await freePort(7, { ...dependencies, kill, lsof });
});

test("a service is ended, with a word that it comes back", async () => {
  const { dependencies, said } = machine([4, 5], { instances: [{ ...gateway, isService: true }] });
  await freePort(7, dependencies);
  assert.deepEqual(said.slice(0, 3), [
    "force: killed pid 4 (server) on port 7",
    "force: killed pid 5 (server) on port 7",
    "force: pid 4 is a service, which its supervisor starts again; openclaw --profile x gateway stop stops it for good",
  ]);
});

test("R14: a Gateway that has let go of the port and hangs on is waited for, then ended by force: it holds its state folder", async () => {
  const { dependencies, killed } = machine([4], {
    instances: [gateway],
    processes: { isAlive: async () => !killed.includes("4 SIGKILL"), describe: async () => undefined },
  });
  await freePort(7, dependencies);
  assert.deepEqual(killed, ["4 SIGTERM", "4 SIGKILL"]);
});
