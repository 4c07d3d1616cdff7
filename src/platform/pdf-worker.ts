// Reads a PDF in a thread of its own: a document from a stranger may take long, or more memory than there is, and the Gateway must not
// feel it. Started by platform/pdf.

import { parentPort, workerData } from "node:worker_threads";

import { getDocumentProxy } from "unpdf";

async function read({ bytes, maxPages }: { readonly bytes: Uint8Array; readonly maxPages: number }) {
  const document = await getDocumentProxy(bytes, { verbosity: 0 });
  const pages: string[] = [];
  for (let number = 1; number <= Math.min(document.numPages, maxPages); number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    pages.push(items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : "")).join(""));
  }
  return { pages, count: document.numPages };
}

// loaded for its size alone, it reads nothing
if (parentPort) {
  // what platform/pdf has put there
  const text = await read(workerData as Parameters<typeof read>[0]);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port to our own thread, no window
  parentPort.postMessage(text);
}
