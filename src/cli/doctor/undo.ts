// `doctor undo`: puts back what a fix changed.

import { undo } from "../../doctor/undo.ts";
import type { Run } from "../commands.ts";
import { openRestorePoints, openScene } from "./open.ts";

export const run: Run = async (context, { args, options }) => {
  const { out, flags, command } = context;
  const { point, lines, kept } = await undo(
    { id: args[0], isForced: options["force"] === true },
    { scene: openScene(context, false), points: openRestorePoints(context) },
  );
  if (flags.json === true) {
    out.json({ ok: true, id: point.id, restored: lines, hints: point.hints, ...(kept ? { kept: kept.id } : {}) });
    return 0;
  }
  for (const line of lines) out.line(line);
  out.line(lines.length === 0 ? `${point.id} had been put back already.` : `${point.id} is put back.`);
  if (kept) out.line(`What was in the way is kept: ${command(`doctor undo ${kept.id}`)}`);
  for (const hint of point.hints) out.line(`next: ${hint}`);
  return 0;
};
