// What the client asks of a server about files: uploads in one request, or by tus (tus.io/protocols/resumable-upload, 1.0.0), and
// reading by temporary URLs. Whether what comes is the file is for whoever asked.

import {
  type Bytes,
  MEDIA_SCHEME,
  type MediaId,
  parseUploadId,
  pathOf,
  type ProblemCode,
  TUS_CONTENT_TYPE,
  TUS_VERSION,
  type UploadId,
  WireError,
} from "#wire";
import { ClientError, type ErrorCode } from "../errors.ts";
import type { HttpResponse } from "../ports.ts";
import { answerToDevice } from "../transport/as-device.ts";
import { toBase64Url } from "../transport/base64.ts";
import { type Asked, errorOf, type Exchange, parseJson, Refusal } from "../transport/exchange.ts";
import type { Tokens } from "../transport/tokens.ts";

/** Five mebibytes at a third of a megabit a second. */
const TIMEOUT_MILLISECONDS = 120_000;

/** `conflict`: somebody else is further, or at it · `gone`: there is no such upload any more. */
export type Appended = { readonly kind: "appended"; readonly offset: number } | { readonly kind: "conflict" | "gone" };

/** A part of a stored file, inclusive of `from` and not of `to`. */
export interface MediaRange {
  readonly mediaId: MediaId;
  /** What `createUrl` gave. */
  readonly query: string;
  readonly from: number;
  readonly to: number;
  /** Bytes of the whole. */
  readonly length: number;
}

/** Every call rejects with a ClientError: `offline`, `server-failed`, `rate-limited`, `file-refused`, `file-gone`… */
export interface MediaServer {
  /** All of a small file. May be repeated. */
  put(uploadId: UploadId, file: Bytes, signal: AbortSignal): Promise<void>;
  create(length: number, signal: AbortSignal): Promise<UploadId>;
  /** How much of it is there. */
  offsetOf(uploadId: UploadId, signal: AbortSignal): Promise<number | "gone">;
  append(uploadId: UploadId, offset: number, bytes: Bytes, signal: AbortSignal): Promise<Appended>;
  remove(uploadId: UploadId, signal: AbortSignal): Promise<void>;
  /** What stands behind the path of a file, for whoever reads it within the hour. */
  createUrl(mediaId: MediaId, accessSecret: Bytes, signal: AbortSignal | undefined): Promise<string>;
  /** Exactly that part. `expired`: with another URL it may be there. */
  read(range: MediaRange, signal: AbortSignal | undefined): Promise<Bytes | "expired">;
}

const REFUSED: Partial<Record<ProblemCode, ErrorCode>> = {
  "too-large": "file-refused",
  "not-admitted": "file-refused",
  "no-media": "file-refused",
  malformed: "file-refused",
};
const MISSING: Partial<Record<ProblemCode, ErrorCode>> = { "not-found": "file-gone", gone: "file-gone", unauthorized: "file-gone" };
const TUS = { "tus-resumable": TUS_VERSION } as const;

export function mediaServer(exchange: Exchange, tokens: Tokens): MediaServer {
  const byUpload = (asked: Omit<Asked, "parameters">, uploadId: UploadId): Promise<HttpResponse> =>
    exchange.answer({ timeoutMilliseconds: TIMEOUT_MILLISECONDS, ...asked, parameters: { uploadId } });
  return {
    async put(uploadId, body, signal) {
      const asked = { operation: "putMedia", parameters: { uploadId }, body, signal, timeoutMilliseconds: TIMEOUT_MILLISECONDS } as const;
      await orClientError(answerToDevice(exchange, tokens, asked), REFUSED);
    },
    async create(length, signal) {
      // The type of the bytes that this request may bring, and does not.
      const headers = { ...TUS, "upload-length": String(length), "content-type": TUS_CONTENT_TYPE };
      const answer = answerToDevice(exchange, tokens, { operation: "createUpload", headers, signal });
      return uploadIdIn((await orClientError(answer, REFUSED)).headers.get("location"));
    },
    async offsetOf(uploadId, signal) {
      try {
        return offsetIn(await byUpload({ operation: "getUpload", headers: TUS, signal }, uploadId));
      } catch (error) {
        if (isGone(error)) return "gone";
        throw clientErrorOf(error, REFUSED);
      }
    },
    async append(uploadId, offset, body, signal) {
      const headers = { ...TUS, "upload-offset": String(offset), "content-type": TUS_CONTENT_TYPE };
      try {
        return { kind: "appended", offset: offsetIn(await byUpload({ operation: "appendUpload", headers, body, signal }, uploadId)) };
      } catch (error) {
        if (isGone(error)) return { kind: "gone" };
        if (error instanceof Refusal && error.code === "offset-conflict") return { kind: "conflict" };
        throw clientErrorOf(error, REFUSED);
      }
    },
    async remove(uploadId, signal) {
      await orClientError(byUpload({ operation: "deleteUpload", headers: TUS, signal }, uploadId), MISSING);
    },
    async createUrl(mediaId, accessSecret, signal) {
      const headers = { authorization: `${MEDIA_SCHEME} ${toBase64Url(accessSecret)}` };
      const answer = exchange.ask({ operation: "createMediaUrl", parameters: { mediaId }, headers, signal });
      return queryIn(parseJson(await orClientError(answer, MISSING))["url"], mediaId);
    },
    async read({ mediaId, query, from, to, length }, signal) {
      // Nothing on the way may keep it, or pack it: where it was kept would tell where its readers are.
      const headers = { range: `bytes=${from}-${to - 1}` };
      try {
        const answer = await exchange.answer({ operation: "getMedia", parameters: { mediaId }, query, headers, status: 206, signal });
        if (answer.headers.get("content-range") !== `bytes ${from}-${to - 1}/${length}` || answer.body.length !== to - from) {
          throw new ClientError("file-damaged");
        }
        return answer.body;
      } catch (error) {
        if (error instanceof Refusal && MISSING[error.code] !== undefined) return "expired";
        throw clientErrorOf(error, { "range-not-satisfiable": "file-damaged" });
      }
    },
  };
}

async function orClientError<T>(answer: Promise<T>, specific: Parameters<typeof errorOf>[1]): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw clientErrorOf(error, specific);
  }
}

function clientErrorOf(error: unknown, specific: Parameters<typeof errorOf>[1]): unknown {
  return error instanceof Refusal ? errorOf(error, specific) : error;
}

function isGone(error: unknown): boolean {
  return error instanceof Refusal && (error.code === "gone" || error.code === "not-found");
}

function offsetIn({ headers }: HttpResponse): number {
  const text = headers.get("upload-offset") ?? "";
  const offset = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset)) throw new ClientError("server-failed");
  return offset;
}

/** A server says where an upload is by a whole URL or a path; what counts is the last segment. */
function uploadIdIn(location: string | undefined): UploadId {
  try {
    return parseUploadId(location?.split("/").at(-1));
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new ClientError("server-failed", { cause });
  }
}

/** Of the file's own path: no server sends us anywhere else. */
function queryIn(url: unknown, mediaId: MediaId): string {
  const path = pathOf("getMedia", { mediaId });
  const query = typeof url === "string" && url.startsWith(path) ? url.slice(path.length) : "";
  if (!/^\?[\w=&.~%-]{1,1024}$/.test(query)) throw new ClientError("server-failed");
  return query;
}
