// Headers of every answer. Nothing here is for a browser to show, frame, guess the type of or keep.

const HEADERS: Readonly<Record<string, string>> = {
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

export function withHeaders(response: Response): Response {
  const own = new Response(response.body, response);
  for (const [name, value] of Object.entries(HEADERS)) own.headers.set(name, value);
  return own;
}
