// Bodies and parameters on their way in: bounded, of the declared type, and parsed once.

import * as v from "valibot";
import type { LinkBlob } from "#durable-objects";
import {
  type Bytes,
  concat,
  type GroupId,
  MAX_MEDIA_REQUEST_BYTES,
  type MediaId,
  parseGroupId,
  parseMediaId,
  parseRendezvousId,
  parseUploadId,
  parseUserId,
  ProtocolError,
  type RendezvousId,
  type UploadId,
  type UserId,
  WireError,
} from "#wire";
import { Problem } from "./problem.ts";

const MAX_JSON_BYTES = 4096;

/** @throws Problem `malformed` with the reason for what `parse` refuses. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof WireError || error instanceof ProtocolError) throw new Problem("malformed", { reason: error.code });
    throw error;
  }
}

export async function readProtobuf<T>(request: Request, maxBytes: number, decode: (bytes: Bytes) => T): Promise<T> {
  requireType(request, "application/x-protobuf");
  const bytes = await readBytes(request, maxBytes);
  return parsed(() => decode(bytes));
}

export async function readOctets<T>(request: Request, maxBytes: number, decode: (bytes: Bytes) => T): Promise<T> {
  requireType(request, "application/octet-stream");
  const bytes = await readBytes(request, maxBytes);
  return parsed(() => decode(bytes));
}

export async function readJson<Output>(request: Request, schema: v.GenericSchema<unknown, Output>): Promise<Output> {
  requireType(request, "application/json");
  const bytes = await readBytes(request, MAX_JSON_BYTES);
  const result = v.safeParse(schema, parseJson(bytes));
  if (!result.success) throw new Problem("malformed", { reason: "bad-value" });
  return result.output;
}

/** A userId in a path. */
export function userIdOf(parameters: Readonly<Record<string, string>>): UserId {
  return parsed(() => parseUserId(parameters["userId"]));
}

/** A groupId in a path. */
export function groupIdOf(parameters: Readonly<Record<string, string>>): GroupId {
  return parsed(() => parseGroupId(parameters["groupId"]));
}

/** A mediaId in a path. */
export function mediaIdOf(parameters: Readonly<Record<string, string>>): MediaId {
  return parsed(() => parseMediaId(parameters["mediaId"]));
}

/** An uploadId in a path. */
export function uploadIdOf(parameters: Readonly<Record<string, string>>): UploadId {
  return parsed(() => parseUploadId(parameters["uploadId"]));
}

/** The handle of a message to many, in a path. */
export function handleOf(parameters: Readonly<Record<string, string>>): string {
  const handle = parameters["handle"] ?? "";
  if (!/^[0-9a-f]{64}$/.test(handle)) throw new Problem("malformed", { reason: "bad-id" });
  return handle;
}

/** The id of a rendezvous, in a path. */
export function rendezvousIdOf(parameters: Readonly<Record<string, string>>): RendezvousId {
  return parsed(() => parseRendezvousId(parameters["rendezvousId"]));
}

/** Which of the four blobs of a rendezvous, in a path. */
export function linkBlobOf(parameters: Readonly<Record<string, string>>): LinkBlob {
  switch (parameters["blob"]) {
    case "1":
      return 1;
    case "2":
      return 2;
    case "3":
      return 3;
    case "4":
      return 4;
    default:
      throw new Problem("malformed", { reason: "bad-id" });
  }
}

/** `after` of a query: how many entries of a log the caller has. */
export function afterOf(url: URL): number {
  const text = url.searchParams.get("after") ?? "0";
  if (!/^(0|[1-9][0-9]{0,8})$/.test(text)) throw new Problem("malformed", { reason: "bad-value" });
  return Number(text);
}

const DRAIN_MILLISECONDS = 10_000;

/**
 * Reads what nobody has wanted of a body, within bounds: a client that is still sending would find its connection closed, and not
 * the answer.
 */
export async function drain({ body, bodyUsed }: Request): Promise<void> {
  if (body === null || bodyUsed || body.locked) return;
  const reader = (body as ReadableStream<Uint8Array>).getReader(); // a body is of bytes
  const timer = setTimeout(() => void reader.cancel(), DRAIN_MILLISECONDS);
  try {
    let left = MAX_MEDIA_REQUEST_BYTES;
    for (let part = await reader.read(); !part.done && left > 0; part = await reader.read()) left -= part.value.length;
    await reader.cancel();
  } catch {
    // The client is gone.
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Problem `unsupported-media-type` */
export function requireType(request: Request, type: string): void {
  const given = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (given !== type) throw new Problem("unsupported-media-type");
}

/** Reads no more than it must to know that a body is too large, whatever its header says. */
async function readBytes(request: Request, maxBytes: number): Promise<Bytes> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw new Problem("too-large");
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: ReadableStream<Uint8Array> | null = request.body;
  const reader = body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    const chunk = part.value;
    length += chunk.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw new Problem("too-large");
    }
    chunks.push(chunk);
  }
  return concat(...chunks);
}

function parseJson(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new Problem("malformed", { reason: "bad-value" });
  }
}
