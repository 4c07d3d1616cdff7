// The newest messages that fit into one answer.

import type { TranscriptMessage } from "../../ports/turn.ts";

/** Bytes of JSON; the oldest messages go first. */
const maxBytes = 6 * 1024 * 1024;

export function withinBytes(messages: readonly TranscriptMessage[]): TranscriptMessage[] {
  let bytes = 0;
  const kept: TranscriptMessage[] = [];
  for (const message of messages.toReversed()) {
    bytes += Buffer.byteLength(JSON.stringify(message)) + 1;
    if (bytes > maxBytes) break;
    kept.unshift(message);
  }
  return kept;
}
