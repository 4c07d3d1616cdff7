// A model on loopback, as the tests play it: what the Gateway asks, and what it is measured against when it is asked directly.

import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: 0, chunkSize: 16 });
mock.onMessage(/./u, {
  content: "Hello from the model, in several pieces, as they come one after the other.",
  usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
});
await mock.start();
console.log(`listening on ${mock.url.replace("http", "ws")}`);
