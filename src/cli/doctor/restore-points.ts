// `doctor restore-points`: what can be put back.

import type { Run } from "../commands.ts";
import { renderAge, renderTable } from "../render/output.ts";
import { openRestorePoints } from "./open.ts";

export const run: Run = async (context) => {
  const { out, flags, clock } = context;
  const points = await openRestorePoints(context).list();
  if (flags.json === true) {
    out.json({ restorePoints: points.map(({ entries, ...point }) => ({ ...point, changes: entries.length })) });
    return 0;
  }
  if (points.length === 0) {
    out.line("There is nothing to put back.");
    return 0;
  }
  const rows = points.map(({ id, createdAt, titles, undoneAt }) => [
    id,
    renderAge(Math.max(0, clock.now() - createdAt)),
    undoneAt === undefined ? "" : "undone",
    titles.join("; "),
  ]);
  out.line(renderTable([["Id", "Made", "", "What was done"], ...rows]));
  return 0;
};
