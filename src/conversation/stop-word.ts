// Words that, as a whole message, stop what runs in the session instead of being answered.

const stopWords = new Set(["stop", "esc", "abort", "wait", "exit", "interrupt", "/stop"]);

export function isStopWord(text: string): boolean {
  return stopWords.has(text.trim().toLowerCase());
}
