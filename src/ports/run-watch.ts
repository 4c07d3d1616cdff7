// Following the text of one run while it is made.

import type { RunId } from "../base/ids.ts";

/** `onText` is told all text of the run so far, each time it grows or is taken back. @returns the function that stops it. */
export type WatchRun = (runId: RunId, onText: (whole: string) => void) => () => void;
