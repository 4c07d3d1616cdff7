// `backup snapshots`: copies of the database from before updates, and what to type to go back to one.

import { listSnapshots } from "../../platform/database-snapshots.ts";
import type { Run } from "../commands.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { renderSize } from "../render/size.ts";

export const run: Run = async ({ paths, flags, out, clock, command }) => {
  const snapshots = await listSnapshots(paths.database);
  if (flags.json === true) {
    out.json({ database: paths.database, snapshots });
    return 0;
  }
  const [newest] = snapshots;
  if (!newest) {
    out.line("There are none: one is made before an update changes the database.");
    return 0;
  }
  const rows = snapshots.map(({ path, before, at, bytes }) => [
    renderAge(Math.max(0, clock.now() - at)),
    before,
    renderSize(bytes),
    path,
  ]);
  out.line(renderTable([["Made", "Before the update to", "Size", "File"], ...rows]));
  out.line(`To go back to one, with the Gateway stopped: ${command("backup restore <file>")}`);
  return 0;
};
