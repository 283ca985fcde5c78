// The OpenAPI 3.1 document, made from the route table and the schemas by which bodies are parsed.

import type * as v from "valibot";
import {
  type Auth,
  COMMON_PROBLEMS,
  GROUP_SCHEME,
  MEDIA_SCHEME,
  type Operation,
  PROBLEM_STATUS,
  RECOVERY_SCHEME,
  type Route,
  ROUTES,
  TUS_CONTENT_TYPE,
  TUS_VERSION,
} from "#wire";
import { ANSWER_SCHEMAS, REQUEST_SCHEMAS } from "./schemas.ts";
import { SERVED } from "./served.ts";

type Json = Readonly<Record<string, unknown>>;

export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of SERVED) {
    const route = ROUTES[operation];
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationObject(operation, route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Edgewise", version: "1", license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        groupKey: { type: "http", scheme: GROUP_SCHEME, description: "base64url of time (4), member's public key (33), signature (64)." },
        mediaSecret: { type: "http", scheme: MEDIA_SCHEME, description: "base64url of the access secret (32) of the file's pointer." },
        recoveryKey: { type: "http", scheme: RECOVERY_SCHEME, description: "base64url of time (4), signature (64)." },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

const OCTETS: Json = { schema: { type: "string", format: "binary" } };

const PROBLEM: Json = {
  type: "object",
  required: ["type", "status", "code"],
  properties: {
    type: { const: "about:blank" },
    status: { type: "integer" },
    code: { enum: Object.keys(PROBLEM_STATUS) },
    reason: { type: "string" },
    missing: { type: "array", items: { type: "integer" } },
    extra: { type: "array", items: { type: "integer" } },
    stale: { type: "array", items: { type: "integer" } },
    version: { type: "integer" },
  },
};

function operationObject(operation: Operation, route: Route): Json {
  const content = requestContentOf(operation, route);
  return {
    operationId: operation,
    security: securityOf(operation, route.auth),
    parameters: parametersOf(operation, route),
    // An upload may begin without a byte of its file.
    ...(content === undefined ? {} : { requestBody: { required: operation !== "createUpload", content } }),
    responses: { ...successesOf(operation, route), ...problemsOf(route) },
  };
}

function securityOf(operation: Operation, auth: Auth): readonly Json[] {
  if (operation === "getGroup") return [{ groupKey: [] }];
  if (auth === "recovery-key") return [{ recoveryKey: [] }];
  // What proves the right to append to a group is in the body.
  if (operation === "appendGroup") return [];
  if (auth === "access-secret") return [{ mediaSecret: [] }];
  // A secret that is part of the URL is no scheme; nor is the socket's token in Sec-WebSocket-Protocol, and a parameter says so.
  const needsToken = (auth === "token" || auth === "sender") && operation !== "openSocket";
  return needsToken ? [{ token: [] }] : [];
}

function parametersOf(operation: Operation, { path }: Route): readonly Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  return [...inPath, ...(PARAMETERS[operation] ?? [])];
}

const AFTER: Json = {
  name: "after",
  in: "query",
  schema: { type: "integer", minimum: 0 },
  description: "Entries of the log that the caller has.",
};
const TUS: Json = header("Tus-Resumable", { const: TUS_VERSION }, "The version of the upload protocol.");
const CHECKSUM: Json = {
  ...header("Upload-Checksum", { type: "string" }, "sha256, a space, and base64 of the SHA-256 of this body."),
  required: false,
};

/** What does not stand in the path. */
const PARAMETERS: Readonly<Partial<Record<Operation, readonly Json[]>>> = {
  openSocket: [header("Sec-WebSocket-Protocol", { type: "string" }, "edgewise.v1, and the token.")],
  sendToMany: [
    header(
      "Idempotency-Key",
      { type: "string", format: "uuid" },
      "The id of the message, in lower case. A repeat with the same one is the same message.",
    ),
  ],
  getKeys: [AFTER],
  getLog: [AFTER],
  getGroup: [AFTER],
  createUpload: [TUS, header("Upload-Length", { type: "integer" }, "Of the encrypted file: a length that its padding makes."), CHECKSUM],
  getUpload: [TUS],
  appendUpload: [TUS, header("Upload-Offset", { type: "integer" }, "Where these bytes belong."), CHECKSUM],
  deleteUpload: [TUS],
  getMedia: [
    { name: "expires", in: "query", required: true, schema: { type: "integer" }, description: "As createMediaUrl has answered." },
    { name: "signature", in: "query", required: true, schema: { type: "string" }, description: "As createMediaUrl has answered." },
    { ...header("Range", { type: "string" }, "One range of bytes."), required: false },
  ],
};

function header(name: string, schema: Json, description: string): Json {
  return { name, in: "header", required: true, schema, description };
}

function requestContentOf(operation: Operation, route: Route): Json | undefined {
  const isTus = operation === "createUpload" || operation === "appendUpload";
  return isTus ? { [TUS_CONTENT_TYPE]: OCTETS } : contentOf(route.request, REQUEST_SCHEMAS[operation]);
}

function successesOf(operation: Operation, route: Route): Json {
  const success = { [route.status]: successOf(operation, route) };
  return operation === "getMedia"
    ? { ...success, 206: { ...successOf(operation, route), description: "The part that was asked for" } }
    : success;
}

function successOf(operation: Operation, route: Route): Json {
  const schema: v.GenericSchema | undefined =
    operation in ANSWER_SCHEMAS ? ANSWER_SCHEMAS[operation as keyof typeof ANSWER_SCHEMAS] : undefined; // it has this key
  const content = contentOf(route.response, schema);
  return { description: "Done", ...(content === undefined ? {} : { content }) };
}

function problemsOf(route: Route): Json {
  const codes = [...COMMON_PROBLEMS, ...route.problems];
  const statuses = [...new Set(codes.map((code) => PROBLEM_STATUS[code]))].sort((a, b) => a - b);
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: codes.filter((code) => PROBLEM_STATUS[code] === status).join(", "), content }]),
  );
}

function contentOf(kind: Route["request"], schema: v.GenericSchema | undefined): Json | undefined {
  switch (kind) {
    case "none":
      return undefined;
    case "json":
      return { "application/json": { schema: schema === undefined ? { type: "object" } : jsonSchemaOf(schema) } };
    case "protobuf":
      return { "application/x-protobuf": OCTETS };
    case "bytes":
      return { "application/octet-stream": OCTETS };
  }
}

/** What our schemas are made of, of all that the library has. */
interface Described {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Described>>;
  readonly item?: Described;
  readonly wrapped?: Described;
  readonly value?: Described;
  readonly literal?: unknown;
  readonly options?: readonly unknown[];
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[];
}

function jsonSchemaOf(schema: v.GenericSchema): Json {
  const described: Described = schema; // the library's schemas have these members, whatever else
  return describe(described);
}

function describe(schema: Described): Json {
  const constraints = Object.assign({}, ...(schema.pipe ?? []).map(constraintOf)) as Json;
  switch (schema.type) {
    case "strict_object": {
      const entries = Object.entries(schema.entries ?? {});
      const properties = Object.fromEntries(entries.map(([name, entry]) => [name, describe(entry)]));
      return { type: "object", additionalProperties: false, required: entries.map(([name]) => name), properties };
    }
    case "array":
      return { type: "array", items: describe(found(schema.item)) };
    case "nullable":
      return { anyOf: [describe(found(schema.wrapped)), { type: "null" }] };
    case "union":
      return { anyOf: (schema.options ?? []).map((option) => describe(option as Described)) }; // a union's options are schemas
    case "record":
      return { type: "object", additionalProperties: describe(found(schema.value)) };
    case "literal":
      return { const: schema.literal };
    case "picklist":
      return { enum: schema.options };
    case "string":
    case "number":
      return { type: schema.type, ...constraints };
    default:
      throw new RangeError(`no JSON schema for ${schema.type}`);
  }
}

function constraintOf({ type, requirement }: { readonly type: string; readonly requirement?: unknown }): Json {
  switch (type) {
    case "regex":
      return requirement instanceof RegExp ? { pattern: requirement.source } : {};
    case "integer":
      return { type: "integer" };
    case "min_value":
      return { minimum: requirement };
    case "max_value":
      return { maximum: requirement };
    default:
      return {};
  }
}

function found(schema: Described | undefined): Described {
  if (schema === undefined) throw new RangeError("a schema without its part");
  return schema;
}
