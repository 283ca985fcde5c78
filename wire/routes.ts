// The HTTP routes, version 1, as data: the gateway serves this table, the client calls it, and the OpenAPI document is
// made from it. Knows no handler and no schema of a body.

import { UsageError } from "./errors.ts";

/** What a caller must show. */
export type Auth =
  /** Nothing; limited by address and by what is asked for. */
  | "none"
  /** The bearer token of a device. */
  | "token"
  /** A token, a delivery capability or an anonymous token: whoever may write to this mailbox or read its keys. */
  | "sender"
  /** The access secret that only the holder of a media pointer has. */
  | "access-secret"
  /** A query that the server has signed, for a while. */
  | "signed-url"
  /** Proof of a key that the group's members share. */
  | "group-key"
  /** Proof of the account's recovery key: whoever has no device any more has no token. */
  | "recovery-key"
  /** The secret of the one who began an upload or a rendezvous: its unguessable id. */
  | "secret-id";

export type BodyKind = "none" | "json" | "protobuf" | "bytes";

/** What a refusal is called; a problem document (RFC 9457) carries it as `code`. */
export type ProblemCode =
  | "malformed"
  | "unauthorized"
  | "not-found"
  | "method-not-allowed"
  | "not-admitted"
  | "username-taken"
  | "log-conflict"
  | "devices-changed"
  | "version-conflict"
  | "offset-conflict"
  | "gone"
  | "account-deleted"
  | "too-large"
  | "unsupported-media-type"
  | "unsupported-version"
  | "range-not-satisfiable"
  | "checksum-mismatch"
  | "no-media"
  | "upgrade-required"
  | "rate-limited"
  | "internal"
  | "unavailable"
  | "mailbox-full"
  | "group-full";

export const PROBLEM_STATUS: Readonly<Record<ProblemCode, number>> = {
  malformed: 400,
  unauthorized: 401,
  // Also what somebody else's private thing answers: 401, 403 and 404 must look alike there.
  "not-found": 404,
  "method-not-allowed": 405,
  "not-admitted": 403,
  "username-taken": 409,
  "log-conflict": 409,
  "devices-changed": 409,
  "version-conflict": 409,
  "offset-conflict": 409,
  gone: 410,
  // Said only to whom the account's log would have told it, or whose account it was.
  "account-deleted": 410,
  "unsupported-version": 412,
  "too-large": 413,
  "unsupported-media-type": 415,
  "range-not-satisfiable": 416,
  "upgrade-required": 426,
  "rate-limited": 429,
  // The number that tus gives it.
  "checksum-mismatch": 460,
  internal: 500,
  // This server has nowhere to keep files.
  "no-media": 501,
  unavailable: 503,
  "mailbox-full": 507,
  "group-full": 507,
};

/** What any route may answer, besides the codes of its own. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  "malformed",
  "unauthorized",
  "not-found",
  "method-not-allowed",
  "rate-limited",
  "internal",
  "unavailable",
];

/** The WebSocket subprotocol that the server chooses. A client offers it and, behind it, its token. */
export const SOCKET_PROTOCOL = "edgewise.v1";

/** The scheme of `Authorization` under which a member's read proof stands, in base64url. */
export const GROUP_SCHEME = "EdgewiseGroup";

/** The scheme of `Authorization` under which the access secret of a file stands, in base64url. */
export const MEDIA_SCHEME = "EdgewiseMedia";

/** The one version of tus that is spoken, in `Tus-Resumable` of every request and answer of an upload. */
export const TUS_VERSION = "1.0.0";
/** The media type of what is appended to an upload. */
export const TUS_CONTENT_TYPE = "application/offset+octet-stream";
/** The same for the proof of a recovery key. */
export const RECOVERY_SCHEME = "EdgewiseRecovery";

export interface Route {
  readonly method: "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With `{name}` for a segment that is a parameter. */
  readonly path: string;
  readonly auth: Auth;
  readonly request: BodyKind;
  readonly response: BodyKind;
  /** The status of success. */
  readonly status: number;
  readonly problems: readonly ProblemCode[];
}

export type Operation =
  | "createAccount"
  | "createChallenge"
  | "createToken"
  | "getTokenKeys"
  | "getCertificate"
  | "openSocket"
  | "putKeys"
  | "getKeyCounts"
  | "getKeys"
  | "getLog"
  | "appendLog"
  | "getRecoveryLog"
  | "recoverAccount"
  | "getUsername"
  | "sendMessages"
  | "sendToMany"
  | "getSendResult"
  | "getUploadOptions"
  | "createUpload"
  | "getUpload"
  | "appendUpload"
  | "deleteUpload"
  | "putMedia"
  | "createMediaUrl"
  | "getMedia"
  | "getGroup"
  | "appendGroup"
  | "requestLink"
  | "putLinkBlob"
  | "takeLinkBlob"
  | "getConfig"
  | "getHealth"
  | "getOpenApi";

export const ROUTES: Readonly<Record<Operation, Route>> = {
  createAccount: {
    ...post("/v1/accounts", "none", "protobuf", "json"),
    problems: ["not-admitted", "username-taken", "too-large", "unsupported-media-type", "upgrade-required"],
  },
  createChallenge: { ...post("/v1/auth/challenge", "none", "json", "json"), problems: ["too-large", "unsupported-media-type"] },
  createToken: {
    ...post("/v1/auth/token", "none", "json", "json"),
    problems: ["account-deleted", "too-large", "unsupported-media-type"],
  },
  getTokenKeys: get("/.well-known/jwks.json", "none", "json"),
  getCertificate: get("/v1/certificate", "token", "bytes"),
  openSocket: { ...get("/v1/socket", "token", "none"), status: 101, problems: ["upgrade-required", "not-admitted"] },
  putKeys: { ...post("/v1/keys", "token", "protobuf", "none"), status: 204, problems: ["too-large", "unsupported-media-type"] },
  getKeyCounts: get("/v1/keys", "token", "json"),
  getKeys: get("/v1/keys/{userId}", "sender", "protobuf"),
  getLog: get("/v1/accounts/{userId}/log", "sender", "protobuf"),
  appendLog: {
    ...post("/v1/accounts/{userId}/log", "token", "protobuf", "json"),
    problems: ["log-conflict", "too-large", "unsupported-media-type", "upgrade-required"],
  },
  getRecoveryLog: get("/v1/accounts/{userId}/recovery", "recovery-key", "protobuf"),
  recoverAccount: {
    ...post("/v1/accounts/{userId}/recovery", "recovery-key", "protobuf", "json"),
    problems: ["log-conflict", "too-large", "unsupported-media-type", "upgrade-required"],
  },
  getUsername: get("/v1/usernames/{name}", "token", "json"),
  sendMessages: {
    method: "PUT",
    path: "/v1/mailboxes/{userId}/messages",
    auth: "sender",
    request: "protobuf",
    response: "json",
    status: 200,
    problems: ["devices-changed", "account-deleted", "too-large", "unsupported-media-type", "mailbox-full"],
  },
  sendToMany: {
    ...post("/v1/messages", "sender", "bytes", "json"),
    status: 202,
    problems: ["too-large", "unsupported-media-type"],
  },
  getSendResult: get("/v1/messages/{handle}", "token", "json"),
  getUploadOptions: { ...get("/v1/media/upload", "none", "none"), method: "OPTIONS", status: 204, problems: ["no-media"] },
  createUpload: {
    ...post("/v1/media/upload", "token", "bytes", "none"),
    status: 201,
    problems: ["too-large", "unsupported-media-type", "unsupported-version", "checksum-mismatch", "no-media"],
  },
  getUpload: {
    ...get("/v1/media/upload/{uploadId}", "secret-id", "none"),
    method: "HEAD",
    problems: ["gone", "unsupported-version", "no-media"],
  },
  appendUpload: {
    ...post("/v1/media/upload/{uploadId}", "secret-id", "bytes", "none"),
    method: "PATCH",
    status: 204,
    problems: ["offset-conflict", "gone", "too-large", "unsupported-media-type", "unsupported-version", "checksum-mismatch", "no-media"],
  },
  deleteUpload: {
    ...get("/v1/media/upload/{uploadId}", "secret-id", "none"),
    method: "DELETE",
    status: 204,
    problems: ["gone", "unsupported-version", "no-media"],
  },
  putMedia: {
    ...post("/v1/media/upload/{uploadId}", "token", "bytes", "none"),
    method: "PUT",
    status: 204,
    problems: ["version-conflict", "too-large", "unsupported-media-type", "no-media"],
  },
  createMediaUrl: { ...post("/v1/media/{mediaId}/url", "access-secret", "none", "json"), problems: ["no-media"] },
  // 206 for a part of it.
  getMedia: { ...get("/v1/media/{mediaId}", "signed-url", "bytes"), problems: ["range-not-satisfiable", "no-media"] },
  getGroup: get("/v1/groups/{groupId}", "group-key", "protobuf"),
  appendGroup: {
    ...post("/v1/groups/{groupId}", "group-key", "protobuf", "json"),
    problems: ["version-conflict", "too-large", "unsupported-media-type", "group-full"],
  },
  requestLink: {
    ...post("/v1/accounts/{userId}/link-requests", "none", "protobuf", "none"),
    status: 202,
    problems: ["too-large", "unsupported-media-type"],
  },
  putLinkBlob: {
    ...post("/v1/link/{rendezvousId}/{blob}", "secret-id", "bytes", "none"),
    method: "PUT",
    status: 204,
    problems: ["gone", "too-large", "unsupported-media-type"],
  },
  takeLinkBlob: { ...get("/v1/link/{rendezvousId}/{blob}", "secret-id", "bytes"), problems: ["gone"] },
  getConfig: get("/v1/config", "none", "json"),
  getHealth: get("/health", "none", "json"),
  getOpenApi: get("/openapi.json", "none", "json"),
};

function get(path: string, auth: Auth, response: BodyKind): Route {
  return { method: "GET", path, auth, request: "none", response, status: 200, problems: [] };
}

function post(path: string, auth: Auth, request: BodyKind, response: BodyKind): Route {
  return { method: "POST", path, auth, request, response, status: 200, problems: [] };
}

/** The path with its parameters filled in. Parameters are ids and names that need no escaping and are no `..`; anything else is refused. */
export function pathOf(operation: Operation, parameters: Readonly<Record<string, string>> = {}): string {
  return ROUTES[operation].path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined || !/^\w[\w.-]*$/.test(value)) throw new UsageError("bad-argument", `path parameter ${name}`);
    return value;
  });
}
