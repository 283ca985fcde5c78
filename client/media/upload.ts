// One encrypted file on its way from our store to the server: in one request when it is small, else by tus, part by part from where
// the server says it is. May be broken off anywhere and called again, also by another program.

import { drawUploadId } from "#identity";
import { type Bytes, MEDIA_PART_BYTES, type UploadId } from "#wire";
import type { Core } from "../core.ts";
import { ClientError } from "../errors.ts";
import { UPLOADS, type Upload } from "../records/tables.ts";
import { readKept } from "./kept-file.ts";
import type { MediaServer } from "./media-server.ts";

/** What is lost with the connection is sent again, so it is little. */
const LARGEST_PUT_BYTES = 1024 * 1024;
/** Uploads that the server may forget within one try. */
const MAX_BEGINNINGS = 3;

export interface Uploading {
  readonly core: Pick<Core, "vault" | "random">;
  readonly server: MediaServer;
  readonly upload: Upload;
  /** Bytes that are at the server. */
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the server has all of it for good, to what the server calls it. @throws ClientError `file-refused`, `offline`…;
 * `conflict` when somebody else, probably another program of ours, is sending it right now
 */
export async function upload(uploading: Uploading): Promise<UploadId | "conflict"> {
  const { length } = uploading.upload;
  return length <= LARGEST_PUT_BYTES ? await put(uploading) : await send(uploading);
}

async function put(uploading: Uploading): Promise<UploadId | "conflict"> {
  const {
    core,
    server,
    upload: { length },
    onProgress,
    signal,
  } = uploading;
  // Kept before it is used: a repeat of the same request is answered the same.
  const uploadId = await named(uploading, async () => drawUploadId("client", core.random));
  const bytes = await piece(uploading, 0, length);
  if (bytes === undefined) return "conflict";
  await server.put(uploadId, bytes, signal);
  onProgress(length);
  return uploadId;
}

async function send(uploading: Uploading): Promise<UploadId | "conflict"> {
  const {
    server,
    upload: { length },
    onProgress,
    signal,
  } = uploading;
  for (let beginnings = 0; beginnings < MAX_BEGINNINGS; beginnings++) {
    const uploadId = await named(uploading, () => server.create(length, signal));
    const offset = await server.offsetOf(uploadId, signal);
    if (offset !== "gone") {
      onProgress(plausible(offset, 0, length));
      const outcome = await append(uploading, uploadId, offset);
      if (outcome === "complete") return uploadId;
      if (outcome === "conflict") return outcome;
    }
    // Begun too long ago. The same bytes go into another upload.
    await forget(uploading, uploadId);
  }
  throw new ClientError("server-failed");
}

async function append(uploading: Uploading, uploadId: UploadId, from: number): Promise<"complete" | "conflict" | "gone"> {
  const {
    server,
    upload: { length },
    onProgress,
    signal,
  } = uploading;
  let offset = from;
  while (offset < length) {
    // Up to where a part of the server's ends: then it has nothing to put by.
    const end = Math.min(length, (Math.floor(offset / MEDIA_PART_BYTES) + 1) * MEDIA_PART_BYTES);
    const bytes = await piece(uploading, offset, end);
    if (bytes === undefined) return "conflict";
    const appended = await server.append(uploadId, offset, bytes, signal);
    if (appended.kind !== "appended") return appended.kind;
    offset = plausible(appended.offset, offset + 1, end);
    onProgress(offset);
  }
  return "complete";
}

/** A server that says it has more than it was sent is not believed, nor one that has lost what it had. */
function plausible(offset: number, least: number, most: number): number {
  if (offset < least || offset > most) throw new ClientError("server-failed");
  return offset;
}

function piece({ core, upload }: Uploading, from: number, to: number): Promise<Bytes | undefined> {
  return core.vault.read((records) => readKept(records, upload, from, to));
}

/** Under which name the file goes up. Another program may have begun, and then it is that one. */
async function named({ core, upload: { ordinal } }: Uploading, name: () => Promise<UploadId>): Promise<UploadId> {
  const known = await core.vault.read((records) => records.get(UPLOADS, ordinal));
  if (known?.uploadId !== undefined) return known.uploadId;
  const made = await name();
  return await core.vault.write(async (records) => {
    const current = await records.get(UPLOADS, ordinal);
    if (current?.uploadId !== undefined) return current.uploadId;
    if (current !== undefined) records.put(UPLOADS, { ...current, uploadId: made }, ordinal);
    return made;
  });
}

async function forget({ core, upload: { ordinal } }: Uploading, uploadId: UploadId): Promise<void> {
  await core.vault.write(async (records) => {
    const current = await records.get(UPLOADS, ordinal);
    if (current?.uploadId === uploadId) records.put(UPLOADS, { ...current, uploadId: undefined }, ordinal);
  });
}
