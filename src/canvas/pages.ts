// Pages and the script that are ours, not the agent's. No script stands in a page: what a page may run is said by its headers.

/** Reloads the page it is in when a file has changed. Its own address says where to listen. */
export const liveScript = `(() => {
  const address = new URL("ws", document.currentScript.src);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  let delay = 500;
  const open = () => {
    const socket = new WebSocket(address);
    socket.onopen = () => { delay = 500; };
    socket.onmessage = ({ data }) => { if (data === "reload") location.reload(); };
    socket.onclose = () => { setTimeout(open, delay); delay = Math.min(delay * 2, 15000); };
  };
  open();
})();
`;

/** Before the end of the body, else at the end: a page without one is a page too. `folder`: where the script's path begins. */
export function addLiveScript(html: string, folder: string): string {
  const tag = `<script src="${folder}/live.js" defer></script>`;
  const end = html.toLowerCase().lastIndexOf("</body>");
  return end === -1 ? `${html}\n${tag}\n` : `${html.slice(0, end)}${tag}\n${html.slice(end)}`;
}

const page = (title: string, body: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>${title}</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem; color: #333; background: #fff; }
      @media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } }
    </style>
  </head>
  <body>
    <h1>${title}</h1>
    ${body}
  </body>
</html>
`;

/** What stands in a new canvas folder. */
export const starterPage = page(
  "Canvas",
  "<p>This page is <code>index.html</code> of the canvas folder. Write another one in its place, by hand or by your agent: it shows here at once.</p>",
);

/** `file` is relative to the canvas folder. */
export function missingIndexPage(file: string): string {
  const name = file.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return page("Nothing here yet", `<p>Create <code>${name}</code> in the canvas folder of the workspace.</p>`);
}

/** The A2UI page; what it loads stands beside it. `load`: the secret of this load, hexadecimal. */
export const renderA2uiPage = (load: string | undefined) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>A2UI</title>
    <link rel="stylesheet" href="a2ui.css" />
    <script src="a2ui.js" defer></script>
  </head>
  <body${load === undefined ? "" : ` data-load="${load}"`}>
    <main id="board"></main>
    <p id="note" role="status"></p>
  </body>
</html>
`;
