// What kind of file a name stands for. What is not known is downloaded, never guessed by the browser.

const text = "; charset=utf-8";

const types: Readonly<Record<string, string>> = {
  html: `text/html${text}`,
  htm: `text/html${text}`,
  css: `text/css${text}`,
  js: `text/javascript${text}`,
  mjs: `text/javascript${text}`,
  json: `application/json${text}`,
  map: `application/json${text}`,
  txt: `text/plain${text}`,
  md: `text/markdown${text}`,
  csv: `text/csv${text}`,
  xml: `application/xml${text}`,
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  ico: "image/x-icon",
  wasm: "application/wasm",
  woff: "font/woff",
  woff2: "font/woff2",
  ttf: "font/ttf",
  otf: "font/otf",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  ogg: "audio/ogg",
  m4a: "audio/mp4",
  mp4: "video/mp4",
  webm: "video/webm",
  pdf: "application/pdf",
  webmanifest: "application/manifest+json",
};

export function mediaTypeOf(path: string): string {
  const extension = /\.([a-z\d]+)$/iu.exec(path)?.[1]?.toLowerCase() ?? "";
  return types[extension] ?? "application/octet-stream";
}
