// A process that saves one config over another and ends: something to be killed while it does.

import { systemClock } from "../../src/base/clock.ts";
import { createConfigHistory } from "../../src/config/history.ts";
import { createConfigWriter } from "../../src/config/write.ts";

const [path = "", folder = "", text = ""] = process.argv.slice(2);
const history = createConfigHistory({ folder, clock: systemClock });
const writer = createConfigWriter({ files: { path, history, variable: () => undefined }, clock: systemClock });
await writer.write(() => text);
