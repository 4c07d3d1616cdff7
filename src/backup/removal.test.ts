import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { planRemoval, removeEmptyState, removePlanned, type RemovalOptions, type RemovalPart } from "./removal.ts";

let home: string;
const at = (...parts: string[]) => join(home, ...parts);
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "removal-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(...parts: string[]): Promise<void> {
  await mkdir(at(...parts, ".."), { recursive: true });
  await writeFile(at(...parts), parts.join("/"));
}

async function makeState(name = ".openclaw"): Promise<void> {
  for (const file of [
    "openclaw.json",
    "openclaw.json.bak",
    "config-last-good.json",
    "credentials/gateway-token",
    "identity/device.json",
    "gateway.sqlite",
    "gateway.sqlite-wal",
    "gateway.lock",
    "settings/voicewake.json",
    "exec-approvals.json",
    "workspace/AGENTS.md",
    "workspace-dev/AGENTS.md",
    "backups/b.tar.gz",
  ])
    await put(name, file);
}

const all: readonly RemovalPart[] = ["config", "credentials", "sessions", "rest", "workspaces"];
const options = (parts: readonly RemovalPart[], more: Partial<RemovalOptions["places"]> = {}): RemovalOptions => ({
  places: {
    state: at(".openclaw"),
    config: at(".openclaw", "openclaw.json"),
    workspaces: [at(".openclaw", "workspace")],
    ...more,
  },
  parts: new Set(parts),
  home,
  stateNames: [".openclaw", ".clawdbot"],
  configNames: ["openclaw.json", "moltbot.json"],
  clock: createManualClock(),
});
const names = async (wanted: RemovalOptions) =>
  (await planRemoval(wanted)).moves.map(({ from }) => from.slice(home.length + 1)).toSorted();

test("each scope takes exactly its own", async () => {
  await makeState();
  const config = [".openclaw/config-last-good.json", ".openclaw/openclaw.json", ".openclaw/openclaw.json.bak"];
  assert.deepEqual(await names(options(["config"])), config);
  const more = [
    ".openclaw/credentials",
    ".openclaw/gateway.sqlite",
    ".openclaw/gateway.sqlite-wal",
    ".openclaw/identity",
  ];
  assert.deepEqual(await names(options(["config", "credentials", "sessions"])), [...config, ...more].toSorted());
  const rest = [".openclaw/exec-approvals.json", ".openclaw/settings", ".openclaw/workspace"];
  assert.deepEqual(await names(options(all)), [...config, ...more, ...rest].toSorted());
});

test("what goes is moved aside whole, and a purge deletes it; locks, backups and others' workspaces stay", async () => {
  await makeState();
  await removePlanned(await planRemoval(options(all)), false);
  const left = (await readdir(at(".openclaw"))).toSorted();
  assert.deepEqual(left.slice(0, 2), ["backups", "gateway.lock"]);
  const [trash = ""] = left.filter((name) => name.startsWith("trash-"));
  assert.equal(
    await readFile(at(".openclaw", trash, "credentials", "gateway-token"), "utf8"),
    ".openclaw/credentials/gateway-token",
  );
  await makeState();
  await rm(at(".openclaw", trash), { recursive: true });
  await removePlanned(await planRemoval(options(all)), true);
  assert.deepEqual((await readdir(at(".openclaw"))).toSorted(), ["backups", "gateway.lock", "workspace-dev"]);
  assert.equal(await removeEmptyState(at(".openclaw")), false);
  for (const name of ["backups", "workspace-dev"]) await rm(at(".openclaw", name), { recursive: true });
  assert.equal(await removeEmptyState(at(".openclaw")), true);
  assert.deepEqual(await readdir(home), []);
});

test("a home, a root, a stranger's folder and what is unknown are left, with the reason", async () => {
  await put("openclaw.json");
  await put("Documents", "letter.txt");
  await put("gateway.sqlite");
  const atHome = await planRemoval(options(all, { state: home, config: at("openclaw.json"), workspaces: [home] }));
  assert.deepEqual(
    atHome.moves.map(({ from }) => from),
    [at("openclaw.json")],
    "the config file that was named is ours",
  );
  assert.deepEqual(
    atHome.left.map(({ why }) => why),
    ["it is your home folder, or one that your home is in", `${home} is in it`],
  );
  const root = await planRemoval(
    options(["sessions", "rest", "workspaces"], { state: "/", workspaces: ["/", at("..")] }),
  );
  assert.deepEqual([root.moves.length, root.left.length], [0, 3]);

  await put("pictures", "cat.png");
  const stranger = await planRemoval(options(["rest"], { state: at("pictures"), config: at("c.json") }));
  assert.deepEqual(stranger, {
    moves: [],
    left: [{ path: at("pictures"), why: "it does not look like a state folder of this program" }],
  });
  await put("shared", "gateway.sqlite");
  await put("shared", "cat.png");
  const shared = await planRemoval(
    options(["sessions", "rest"], { state: at("shared"), config: at("c.json"), workspaces: [] }),
  );
  assert.deepEqual(
    shared.moves.map(({ from }) => from),
    [at("shared", "gateway.sqlite")],
  );
  assert.deepEqual(shared.left, [{ path: at("shared", "cat.png"), why: "it is not known as ours" }]);
  const folder = await planRemoval(options(["workspaces"], { workspaces: [at("none"), at("pictures")] }));
  assert.deepEqual(folder.left, [{ path: at("pictures"), why: "it does not look like a workspace of an agent" }]);
});

test("links are moved or left, never followed", async () => {
  await makeState();
  await put("elsewhere", "AGENTS.md");
  await put("dotfiles", "openclaw.json");
  await rm(at(".openclaw", "openclaw.json"));
  await rm(at(".openclaw", "workspace"), { recursive: true });
  await rm(at(".openclaw", "credentials"), { recursive: true });
  await symlink(at("dotfiles", "openclaw.json"), at(".openclaw", "openclaw.json"));
  await symlink(at("elsewhere"), at(".openclaw", "workspace"));
  await symlink(at("elsewhere"), at(".openclaw", "credentials"));
  const plan = await planRemoval(options(all));
  assert.deepEqual(plan.left, [{ path: at(".openclaw", "workspace"), why: "it is a link: what it leads to stays" }]);
  await removePlanned(plan, true);
  assert.deepEqual(await readdir(at("elsewhere")), ["AGENTS.md"]);
  assert.deepEqual(await readdir(at("dotfiles")), ["openclaw.json"]);
  assert.deepEqual((await readdir(at(".openclaw"))).toSorted(), [
    "backups",
    "gateway.lock",
    "workspace",
    "workspace-dev",
  ]);
});

test("a config and a workspace outside of the state are moved aside where they are", async () => {
  await makeState();
  await put("etc", "a.json");
  await put("etc", "b.json");
  await put("clawd", "SOUL.md");
  await removePlanned(
    await planRemoval(options(all, { config: at("etc", "a.json"), workspaces: [at("clawd")] })),
    false,
  );
  const [other, moved = ""] = (await readdir(at("etc"))).toSorted().toReversed();
  assert.equal(other, "b.json");
  assert.match(moved, /^a\.json\.removed-/u);
  assert.match((await readdir(home)).find((name) => name.startsWith("clawd")) ?? "", /^clawd\.removed-/u);
});
