// `dashboard` as its own process: against a real Gateway, a stand-in that has a page, and nobody.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createCliHome, type CliHome } from "../kit/cli-process.ts";
import { createFakeTools } from "../kit/fake-tools.ts";
import { createGatewayProcess, freePort } from "../kit/gateway-process.ts";

let home: CliHome;
before(async () => {
  home = await createCliHome();
  assert.equal((await home.run(["setup"])).code, 0);
});
after(() => home.dispose());

const token = async () =>
  (await readFile(join(home.folder, ".openclaw", "credentials", "gateway-token"), "utf8")).trim();

test("it prints the address with the token in the fragment, and says that this version has no page", async () => {
  const gateway = await createGatewayProcess();
  try {
    await gateway.start();
    const { code, stdout, stderr } = await gateway.cli("dashboard");
    assert.deepEqual([code, stderr], [0, ""]);
    const [first = "", ...rest] = stdout.split("\n");
    assert.equal(first, `Dashboard URL: http://127.0.0.1:${gateway.port}/#token=${gateway.token}`);
    assert.match(rest.join("\n"), /has no page yet: the Control UI comes with a later version/u);
    const { stdout: text } = await gateway.cli("dashboard", "--json");
    assert.partialDeepStrictEqual(JSON.parse(text), { reachable: true, served: false, opened: false });
  } finally {
    await gateway.dispose();
  }
});

test("with no Gateway there it says so, with exit code 1", async () => {
  const env = { OPENCLAW_GATEWAY_PORT: "9" };
  const { code, stdout, stderr } = await home.run(["dashboard"], { env });
  assert.equal(code, 1);
  assert.match(stdout, /^Dashboard URL: http:\/\/127\.0\.0\.1:9\/#token=[0-9a-f]{48}\n/u);
  assert.match(stderr, /^the Gateway does not answer there\nnext: openclaw gateway\n/u);
});

test("over SSH, and without a screen, the tunnel is told and nothing is opened", async () => {
  const env = { OPENCLAW_GATEWAY_PORT: "9", SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22", DISPLAY: ":0" };
  const { stdout } = await home.run(["dashboard", "--json"], { env });
  assert.match(String((JSON.parse(stdout) as { tunnel: string }).tunnel), /^ssh -N -L 9:127\.0\.0\.1:9 \S+@\S+$/u);
});

test(
  "a page that is there is opened through an address that holds no token and leads to it once",
  { skip: process.platform === "linux" ? false : "xdg-open is Linux's" },
  async () => {
    const page: Server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<title>page</title>");
    });
    const port = await freePort();
    await new Promise<void>((resolve) => {
      page.listen(port, "127.0.0.1", resolve);
    });
    const tools = await createFakeTools(join(home.folder, "tools"));
    const browser = join(tools.state, "browser.mjs");
    // a browser that comes twice: the second time there is nothing
    await tools.write(
      "xdg-open",
      `printf '%s' "$1" > "$STATE/argument"
cat > '${browser}' <<'END'
const address = process.argv[2];
const visit = async () => { const r = await fetch(address, { redirect: "manual" }); return r.status + " " + r.headers.get("location"); };
const first = await visit();
console.log(first + "\\n" + await visit().catch(() => "gone null"));
END
'${process.execPath}' '${browser}' "$1" > "$STATE/visits" 2>&1 &`,
    );
    try {
      const env = { PATH: tools.path, DISPLAY: ":0", OPENCLAW_GATEWAY_PORT: String(port) };
      const closed = await home.run(["dashboard", "--no-open", "--json"], { env });
      assert.partialDeepStrictEqual(JSON.parse(closed.stdout), { served: true, opened: false });
      const { code, stdout, stderr } = await home.run(["dashboard"], { env });
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /It opens in the browser\.\n$/u);
      const handed = await readFile(join(tools.state, "argument"), "utf8");
      assert.match(handed, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}$/u);
      assert.ok(!handed.includes(await token()));
      let visits: string[] = [];
      for (let tries = 0; visits.length < 2 && tries < 50; tries += 1) {
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
        visits = (await readFile(join(tools.state, "visits"), "utf8")).trim().split("\n");
      }
      assert.equal(visits[0], `302 http://127.0.0.1:${port}/#token=${await token()}`);
      assert.match(visits[1] ?? "", /^(?:503|gone) null$/u);
    } finally {
      await new Promise((resolve) => {
        page.close(resolve);
        page.closeAllConnections();
      });
    }
  },
);

test("a base path and a remote Gateway are where the config says", async () => {
  const own = await createCliHome();
  try {
    await own.run(["setup", "--remote-url", "wss://gateway.invalid:8443", "--remote-token", "far token/+"]);
    await own.run(["config", "set", "gateway.controlUi.basePath", "/panel/"]);
    const { code, stdout } = await own.run(["dashboard", "--json"]);
    assert.equal(code, 1);
    assert.partialDeepStrictEqual(JSON.parse(stdout), {
      url: "https://gateway.invalid:8443/panel/#token=far%20token%2F%2B",
      reachable: false,
    });
  } finally {
    await own.dispose();
  }
});
