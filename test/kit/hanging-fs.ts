// Imported before the program: a call of the file system that never comes back, as of a network drive that is gone. It holds a
// thread of Node's, which then does not even end by process.exit.

import { readFile } from "node:fs/promises";

const pipe = process.env["HANG_AT"];
if (pipe !== undefined) readFile(pipe).catch(() => undefined);
