// The floor that the Gateway is compared with: the least a Node program with a WebSocket can do, answering with the same JSON.
// Run as a child process: argv[2] is the answer's payload. A request `system-event` puts its text into the first row of argv[3], a
// presence list, and sends the list to all. Plain JavaScript: to strip types costs 25 ms and 25 MB.

import { WebSocketServer } from "ws";

const payload = JSON.parse(process.argv[2] ?? "{}");
const [row, ...rows] = JSON.parse(process.argv[3] ?? "[{}]");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("error", () => undefined);
  socket.on("message", (data) => {
    // what any server of the protocol has to do: read the frame, take its id, write the answer
    const { id, method, params } = JSON.parse(data.toString());
    socket.send(JSON.stringify({ type: "res", id, ok: true, payload }));
    if (method !== "system-event") return;
    const presence = [{ ...row, text: params.text }, ...rows];
    const event = JSON.stringify({ type: "event", event: "presence", payload: { presence } });
    for (const client of server.clients) client.send(event);
  });
});
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
