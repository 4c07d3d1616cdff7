// Base64 and data URLs from strangers, judged before anything is decoded.

/** Before the data of a data URL; more of it is no data URL. */
const maxHeadLength = 1_000;
const headPattern = /^data:(?<mime>[a-z0-9.+/-]+)(?:;[^,;]+)*;base64,/iu;
/** Of both alphabets, padded or not. */
const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/u;

export interface DataUrl {
  /** In small letters, as it was sent. */
  readonly mimeType: string;
  /** What follows the comma, not looked at. */
  readonly data: string;
}

/** @returns undefined for what is not a data URL in base64. */
export function parseDataUrl(text: string): DataUrl | undefined {
  const head = headPattern.exec(text.slice(0, maxHeadLength));
  const mime = head?.groups?.["mime"];
  return head && mime !== undefined ? { mimeType: mime.toLowerCase(), data: text.slice(head[0].length) } : undefined;
}

/** Why `text` cannot be decoded to at most `maxBytes` bytes; size comes first. @returns undefined when it can. */
export function findBase64Problem(text: string, maxBytes: number): "too-large" | "not-base64" | undefined {
  if (text.length > Math.ceil(maxBytes / 3) * 4) return "too-large";
  return base64Pattern.test(text) ? undefined : "not-base64";
}
