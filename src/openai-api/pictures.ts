// Pictures that come with a request, as data URLs or as URLs to fetch; kind, number and size are bounded before anything is decoded.

import { Fault } from "../base/fault.ts";
import type { PublicFetch } from "../platform/egress-public.ts";
import type { Attachment } from "../ports/message.ts";
import { refuseField } from "./fields.ts";

export interface PictureLimits {
  readonly allowUrl: boolean;
  readonly mimeTypes: readonly string[];
  /** Of one picture, decoded. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly timeoutMs: number;
}

/** In one request, and their bytes together. */
export const maxPictures = 8;
const maxTotalBytes = 20 * 1024 * 1024;

export interface PictureSource {
  readonly url: string;
  readonly field: string;
}

const dataUrl = /^data:(?<mime>[a-z0-9.+/-]+)(?:;[^,;]+)*;base64,/iu;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/u;

/** @throws Fault `invalid_params`, `too_large`, or what fetching throws. */
export async function readPictures(
  sources: readonly PictureSource[],
  limits: PictureLimits,
  { fetch, signal }: { readonly fetch: PublicFetch; readonly signal: AbortSignal },
): Promise<Attachment[]> {
  if (sources.length > maxPictures)
    throw refuseField(sources[maxPictures]?.field ?? "image", `is one of more than ${maxPictures} pictures`);
  let total = 0;
  const pictures: Attachment[] = [];
  for (const source of sources) {
    const picture = source.url.startsWith("data:")
      ? fromDataUrl(source, limits)
      : await fromUrl(source, limits, { fetch, signal });
    total += Math.floor((picture.base64.length * 3) / 4);
    if (total > maxTotalBytes)
      throw new Fault("too_large", `the pictures are larger than ${maxTotalBytes} bytes together`);
    pictures.push(picture);
  }
  return pictures;
}

/** @throws Fault unless the data URL holds a picture of an accepted kind and size. */
export function fromDataUrl({ url, field }: PictureSource, limits: PictureLimits): Attachment {
  const head = dataUrl.exec(url.slice(0, 200));
  const mimeType = head?.groups?.["mime"]?.toLowerCase();
  if (!head || mimeType === undefined) throw refuseField(field, "is not a data URL in base64");
  const data = url.slice(head[0].length);
  if (data.length > Math.ceil(limits.maxBytes / 3) * 4)
    throw new Fault("too_large", `${field} is larger than ${limits.maxBytes} bytes`, { field });
  if (!base64.test(data)) throw refuseField(field, "is not base64");
  checkKind(mimeType, field, limits);
  return { mimeType, base64: data };
}

async function fromUrl(
  { url, field }: PictureSource,
  limits: PictureLimits,
  { fetch, signal }: { readonly fetch: PublicFetch; readonly signal: AbortSignal },
): Promise<Attachment> {
  if (!limits.allowUrl) throw refuseField(field, "must be a data URL", "send the picture itself, in base64");
  const { maxBytes, maxRedirects, timeoutMs } = limits;
  const { mimeType, body } = await fetch(url, {
    maxBytes,
    maxRedirects,
    timeoutMs,
    mimeTypes: limits.mimeTypes,
    signal,
  });
  return { mimeType, base64: body.toString("base64") };
}

function checkKind(mimeType: string, field: string, { mimeTypes }: PictureLimits): void {
  if (!mimeTypes.includes(mimeType)) throw refuseField(field, `is ${mimeType}`, `use one of ${mimeTypes.join(", ")}`);
}
