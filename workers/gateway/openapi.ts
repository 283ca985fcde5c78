// The OpenAPI 3.1 document, made from the route table and the schemas by which bodies are parsed.

import type * as v from "valibot";
import { type Auth, COMMON_PROBLEMS, GROUP_SCHEME, type Operation, PROBLEM_STATUS, RECOVERY_SCHEME, type Route, ROUTES } from "#wire";
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
        recoveryKey: { type: "http", scheme: RECOVERY_SCHEME, description: "base64url of time (4), signature (64)." },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

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
  const content = contentOf(route.request, REQUEST_SCHEMAS[operation]);
  return {
    operationId: operation,
    security: securityOf(operation, route.auth),
    parameters: parametersOf(operation, route),
    ...(content === undefined ? {} : { requestBody: { required: true, content } }),
    responses: { [route.status]: successOf(operation, route), ...problemsOf(route) },
  };
}

function securityOf(operation: Operation, auth: Auth): readonly Json[] {
  if (operation === "getGroup") return [{ groupKey: [] }];
  if (auth === "recovery-key") return [{ recoveryKey: [] }];
  // What proves the right to append to a group is in the body.
  if (operation === "appendGroup") return [];
  // The socket has its token in Sec-WebSocket-Protocol, for which OpenAPI has no scheme; the parameter says so.
  return auth === "none" || auth === "secret-id" || operation === "openSocket" ? [] : [{ token: [] }];
}

function parametersOf(operation: Operation, { path }: Route): readonly Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  const after = {
    name: "after",
    in: "query",
    schema: { type: "integer", minimum: 0 },
    description: "Entries of the log that the caller has.",
  };
  const protocol = {
    name: "Sec-WebSocket-Protocol",
    in: "header",
    required: true,
    schema: { type: "string" },
    description: "edgewise.v1, and the token.",
  };
  if (operation === "sendToMany") return [IDEMPOTENCY_KEY];
  if (operation === "getKeys" || operation === "getLog" || operation === "getRecoveryLog" || operation === "getGroup")
    return [...inPath, after];
  return operation === "openSocket" ? [protocol] : inPath;
}

const IDEMPOTENCY_KEY: Json = {
  name: "Idempotency-Key",
  in: "header",
  required: true,
  schema: { type: "string", format: "uuid" },
  description: "The id of the message, in lower case. A repeat with the same one is the same message.",
};

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
      return { "application/x-protobuf": { schema: { type: "string", format: "binary" } } };
    case "bytes":
      return { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
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
