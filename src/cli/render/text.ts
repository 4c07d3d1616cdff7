// Text from elsewhere (models, people, logs) on its way to a terminal.

import { stripVTControlCharacters } from "node:util";

/** Nobody but us moves the cursor or colours the screen: escape sequences and control characters go, line breaks and tabs stay. */
export function cleanText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}--[\n\t]]/gv, "");
}

export interface TextStream {
  /** The whole text up to now. */
  take(whole: string): void;
  /** What stands last on the screen, from where it began. */
  shown(): string;
}

/** Shows a text while it grows. One that does not begin as it did before was taken back: it begins again on a new line. */
export function createTextStream(write: (text: string) => void): TextStream {
  let shown = "";
  return {
    take(whole) {
      const clean = cleanText(whole);
      if (clean.startsWith(shown)) write(clean.slice(shown.length));
      else write(`\n${clean}`);
      shown = clean;
    },
    shown: () => shown,
  };
}
