// Words that, as a whole message, stop what runs in the session instead of being answered.

/** As clients list it. */
export const stopCommand = {
  name: "stop",
  words: ["/stop"],
  description: "Stops what runs in this conversation",
} as const;

const stopWords: ReadonlySet<string> = new Set([
  "stop",
  "esc",
  "abort",
  "wait",
  "exit",
  "interrupt",
  ...stopCommand.words,
]);

export function isStopWord(text: string): boolean {
  return stopWords.has(text.trim().toLowerCase());
}
