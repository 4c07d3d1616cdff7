import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import { openServerKit, secret } from "../../../test/kit/gateway-server.ts";
import { createAvatarRoute } from "./avatar-route.ts";
import { createControlUiRoute } from "./route.ts";

const png = Buffer.from("89504e470d0a1a0a", "hex");
const authorization = `Bearer ${secret}`;

async function setUp(context: TestContext, { basePath = "", enabled = true } = {}) {
  const home = await mkdtemp(join(tmpdir(), "avatar-"));
  context.after(() => rm(home, { recursive: true, force: true }));
  const workspace = join(home, "workspace");
  await mkdir(join(workspace, "pictures", "folder.png"), { recursive: true });
  await mkdir(join(home, "workspace-2"));
  for (const name of [
    "me.png",
    "pictures/Ünï ?.webp",
    ".hidden.png",
    "notes.md",
    "../outside.png",
    "../workspace-2/x.png",
  ])
    await writeFile(join(workspace, name), png);
  await writeFile(join(workspace, "me.svg"), "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>");
  await writeFile(join(workspace, "large.png"), Buffer.alloc(5 * 1024 * 1024 + 1));
  await symlink("../outside.png", join(workspace, "link.png"));
  await symlink("..", join(workspace, "up"));
  await symlink("me.png", join(workspace, "inner.png"));
  let avatar: string | undefined = "me.png";
  const section = () => ({ enabled, allowedOrigins: [], basePath, root: "none" });
  const owner = (agentId: string) => (agentId === "main" ? { avatar, workspace, home } : undefined);
  const assistant = () => ({ agentId: "main" });
  const pages = createControlUiRoute({ section, assistant, product: "openclaw", folder: home, home });
  const kit = await openServerKit({ routes: [createAvatarRoute({ section, owner }), pages] });
  context.after(() => kit.stop());
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${kit.port}${path}`, { headers: { authorization }, redirect: "manual", ...init });
  /** With that avatar in the config: the picture's status, and where it is said to be. */
  const tryAvatar = async (value: string | undefined) => {
    avatar = value;
    const picture = await get("/avatar/main");
    const meta = await get("/avatar/main?meta=1");
    assert.equal(meta.status, 200);
    const bytes = Buffer.from(await picture.arrayBuffer());
    return { status: picture.status, bytes, meta: await meta.json() };
  };
  return { home, workspace, get, tryAvatar };
}

test("a file of the workspace is served as the picture it is, however the config spells its place", async (context) => {
  const { home, workspace, get, tryAvatar } = await setUp(context);
  const here = { status: 200, bytes: png, meta: { avatarUrl: "/avatar/main" } };
  for (const avatar of [
    "me.png",
    "./pictures/../me.png",
    "pictures/Ünï ?.webp",
    "inner.png",
    join(workspace, "me.png"),
    "~/workspace/me.png",
  ])
    assert.deepEqual(await tryAvatar(avatar), here, avatar);
  assert.ok(home);

  await tryAvatar("me.png");
  const picture = await get("/avatar/Main");
  assert.equal(picture.headers.get("content-type"), "image/png");
  assert.equal(picture.headers.get("x-content-type-options"), "nosniff");
  assert.equal(picture.headers.get("cache-control"), "private, no-cache");
  const etag = picture.headers.get("etag") ?? "";
  assert.equal((await get("/avatar/main", { headers: { authorization, "if-none-match": etag } })).status, 304);
  const head = await get("/avatar/main", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  // a drawing that is opened by itself runs nothing
  await tryAvatar("me.svg");
  assert.match(
    (await get("/avatar/main")).headers.get("content-security-policy") ?? "",
    /default-src 'none'.*sandbox/u,
  );
});

test("nothing outside of the workspace is served, nor what is hidden, no picture, or too large (S19)", async (context) => {
  const { home, tryAvatar } = await setUp(context);
  for (const avatar of [
    "../outside.png",
    join(home, "outside.png"),
    "../workspace-2/x.png",
    `${home}/workspace-2/x.png`,
    "~/outside.png",
    "link.png",
    "up/outside.png",
    ".hidden.png",
    "notes.md",
    "large.png",
    "pictures/folder.png",
    "pictures",
    "none.png",
    "",
    ".",
    "/",
    "A",
    "\u{1F99E}",
    "\uD800.png",
    "file:///etc/passwd",
    "me.png\0",
    undefined,
  ]) {
    const { status, meta } = await tryAvatar(avatar);
    assert.deepEqual([status, meta], [404, { avatarUrl: null }], avatar);
  }
});

test("a picture elsewhere is named and never fetched or led to", async (context) => {
  const { tryAvatar } = await setUp(context);
  for (const avatar of ["https://example.com/me.png", "http://example.com/a", "data:image/png;base64,AAAA"]) {
    const { status, meta } = await tryAvatar(avatar);
    assert.deepEqual([status, meta], [404, { avatarUrl: avatar }]);
  }
});

test("who shows no secret, or asks for nobody, gets nothing", async (context) => {
  const { get } = await setUp(context);
  for (const path of ["/avatar/main", "/avatar/main?meta=1", "/avatar/other", `/avatar/main?token=${secret}`])
    assert.equal((await get(path, { headers: {} })).status, 401, path);
  for (const path of ["/avatar/other", "/avatar/%2e%2e%2fmain", "/avatar/main%2f", "/avatar/%zz", "/avatar/main%00"])
    assert.equal((await get(path)).status, 404, path);
  assert.equal((await get("/avatar/main", { method: "POST" })).status, 405);
  const below = await setUp(context, { basePath: "ui" });
  assert.deepEqual(await (await below.get("/ui/avatar/main?meta=1")).json(), { avatarUrl: "/ui/avatar/main" });
  assert.equal((await below.get("/avatar/main")).status, 404);
  const off = await setUp(context, { enabled: false });
  assert.equal((await off.get("/avatar/main")).status, 404);
});

test("whatever the config says and a client asks, nothing but a picture of the workspace comes out", async (context) => {
  const { get, tryAvatar } = await setUp(context);
  const piece = fc.constantFrom(
    "..",
    ".",
    "me.png",
    "up",
    "link.png",
    "outside.png",
    "pictures",
    "~",
    "workspace",
    "%2e%2e",
    "",
  );
  const spelled = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("/"));
  await fc.assert(
    fc.asyncProperty(fc.oneof(spelled, fc.string({ unit: "grapheme" })), async (avatar) => {
      const { status, bytes, meta } = await tryAvatar(avatar);
      const isHere = status === 200;
      assert.ok(isHere || status === 404);
      assert.deepEqual(meta, { avatarUrl: isHere ? "/avatar/main" : null });
      if (isHere) assert.ok(resolve("/", avatar).endsWith("/me.png") && bytes.equals(png), avatar);
    }),
    { numRuns: 150 },
  );
  await tryAvatar("me.png");
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (id) => {
      const response = await get(`/avatar/${encodeURIComponent(id.toWellFormed())}`);
      assert.equal(response.status === 200, id.toLowerCase() === "main", id);
      await response.arrayBuffer();
    }),
    { numRuns: 100 },
  );
});
