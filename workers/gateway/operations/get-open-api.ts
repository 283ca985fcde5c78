// The OpenAPI document of what is here.

import { openApiDocument } from "../openapi.ts";

export function getOpenApi(): Response {
  return new Response(JSON.stringify(openApiDocument()), { headers: { "content-type": "application/json" } });
}
