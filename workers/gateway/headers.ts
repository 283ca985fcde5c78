// Headers of every answer. Nothing here is for a browser to show, frame, guess the type of or keep.

import { pathOf, TUS_VERSION } from "#wire";

const HEADERS: Readonly<Record<string, string>> = {
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Of every answer about files: a shared cache would show where their readers are, and no browser is to open one from here. */
const MEDIA_HEADERS: Readonly<Record<string, string>> = { "cache-control": "private, no-store", "content-disposition": "attachment" };
const MEDIA_PATH = "/v1/media/";
const UPLOAD_PATH: string = pathOf("createUpload");

/** @param path of the request */
export function withHeaders(response: Response, path: string): Response {
  const own = new Response(response.body, response);
  const media = path.startsWith(MEDIA_PATH) ? MEDIA_HEADERS : {};
  const tus = path.startsWith(UPLOAD_PATH) ? { "tus-resumable": TUS_VERSION } : {};
  for (const [name, value] of Object.entries({ ...HEADERS, ...media, ...tus })) own.headers.set(name, value);
  return own;
}
