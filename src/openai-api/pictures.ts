// Pictures that come with a request, as data URLs or as URLs to fetch; kind, number and size are bounded before anything is decoded.

import { parseDataUrl } from "../base/base64.ts";
import { Fault } from "../base/fault.ts";
import { refuseField } from "../base/fields.ts";
import type { PublicFetch } from "../platform/egress-public.ts";
import type { Attachment } from "../ports/message.ts";
import { checkBase64, checkKind, type SourceLimits } from "./source.ts";

/** In one request, and their bytes together. */
export const maxPictures = 8;
const maxTotalBytes = 20 * 1024 * 1024;

export interface PictureSource {
  readonly url: string;
  readonly field: string;
}

/** @throws Fault `invalid_params`, `too_large`, or what fetching throws. */
export async function readPictures(
  sources: readonly PictureSource[],
  limits: SourceLimits,
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
export function fromDataUrl({ url, field }: PictureSource, limits: SourceLimits): Attachment {
  const parsed = parseDataUrl(url);
  if (!parsed) throw refuseField(field, "is not a data URL in base64");
  const { mimeType, data } = parsed;
  checkBase64(data, field, limits);
  checkKind(mimeType, field, limits);
  return { mimeType, base64: data };
}

async function fromUrl(
  { url, field }: PictureSource,
  limits: SourceLimits,
  { fetch, signal }: { readonly fetch: PublicFetch; readonly signal: AbortSignal },
): Promise<Attachment> {
  if (!limits.allowUrl) throw refuseField(field, "must be a data URL", "send the picture itself, in base64");
  const { mimeType, body } = await fetch(url, { ...limits, signal });
  return { mimeType, base64: body.toString("base64") };
}
