// The config as clients see it: secrets replaced, variables as they are written, defaults filled in. Pure.

import { isRecord } from "../base/json.ts";
import { redactText } from "../platform/redact.ts";
import { applyEdits, type Edit } from "./edit.ts";
import { outlineText, type Outline } from "./outline.ts";
import { isSecretReference, redactConfig, type SecretPaths } from "./secret-paths.ts";
import { placeholder } from "./substitute.ts";
import type { SourceFile } from "./write.ts";

/** What the file says over its defaults. The values of variables are not in it: they may be secrets. */
export function redactedConfig({ config, whole }: SourceFile, secrets: SecretPaths): Record<string, unknown> {
  const shown = redactConfig(overlay(config ?? {}, whole ?? {}), secrets);
  return isRecord(shown) ? shown : {};
}

function overlay(filled: unknown, written: unknown): unknown {
  if (Array.isArray(filled) && Array.isArray(written)) {
    return written.map((item, index) => overlay(filled[index], item));
  }
  if (!isRecord(filled) || !isRecord(written) || isSecretReference(written)) return written;
  const keys = [...new Set([...Object.keys(filled), ...Object.keys(written)])];
  return Object.fromEntries(
    keys.map((key) => [key, Object.hasOwn(written, key) ? overlay(filled[key], written[key]) : filled[key]]),
  );
}

/** The text with secrets replaced; null when it cannot be parsed, or a remark in it may hold one. */
export function redactedText({ text, value }: Pick<SourceFile, "text" | "value">, secrets: SecretPaths): string | null {
  if (text === undefined || value === undefined) return null;
  const { root, comments } = outlineText(text);
  if (comments.some(({ start, end }) => isDoubtful(text.slice(start, end)))) return null;
  const edits: Edit[] = [];
  collectSecrets({ outline: root, value, path: [] }, secrets, edits);
  return applyEdits(text, edits);
}

/** A key that is commented out, with whatever stood in it. */
function isDoubtful(comment: string): boolean {
  return redactText(comment) !== comment || /(?:token|password|secret|key|auth\w*|cookie)["']?\s*[:=]/iu.test(comment);
}

interface Place {
  readonly outline: Outline;
  readonly value: unknown;
  readonly path: readonly string[];
}

function collectSecrets({ outline, value, path }: Place, secrets: SecretPaths, edits: Edit[]): void {
  if (secrets.isSecret(path, value)) {
    edits.push({ start: outline.start, end: outline.end, text: JSON.stringify(placeholder) });
    return;
  }
  if (isSecretReference(value)) return;
  const last = new Map(outline.members.map((member) => [member.key, member]));
  for (const member of outline.members) {
    if (last.get(member.key) !== member) {
      // a key that is written twice: nobody reads the first, and nobody has looked at what is in it
      edits.push({ start: member.value.start, end: member.value.end, text: JSON.stringify(placeholder) });
      continue;
    }
    const inner = Array.isArray(value) ? value[Number(member.key)] : isRecord(value) ? value[member.key] : undefined;
    collectSecrets({ outline: member.value, value: inner, path: [...path, member.key] }, secrets, edits);
  }
}
