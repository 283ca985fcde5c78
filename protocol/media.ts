// The plan of an encrypted file (docs/media.md): its keys, where each chunk of the plaintext lies in the stored file, and the
// nonce each is encrypted under. Pure: the encryption itself waits for the platform, so it is done above.

import { hkdf, LABELS, Secret, sha256 } from "#crypto";
import {
  be32,
  type Bytes,
  concat,
  EMPTY,
  encryptedMediaLength,
  MEDIA_CHUNK_BYTES,
  MEDIA_HEADER_BYTES,
  MEDIA_TAG_BYTES,
  paddedMediaLength,
  UsageError,
} from "#wire";

const KEY_BYTES = 32;

export interface MediaPlan {
  /** Bytes of plaintext. */
  readonly size: number;
  /** Bytes of plaintext with the zeros behind it. */
  readonly paddedBytes: number;
  /** Bytes at the server. */
  readonly storedBytes: number;
  /** At least one. */
  readonly chunks: number;
}

/** @throws WireError `bad-value`, `too-long`: no file has this size. */
export function planMedia(size: number): MediaPlan {
  const paddedBytes = paddedMediaLength(size);
  return { size, paddedBytes, storedBytes: encryptedMediaLength(size), chunks: Math.ceil(paddedBytes / MEDIA_CHUNK_BYTES) };
}

/** One chunk: in the padded plaintext it is `length` bytes from `start` on, in the stored file `storedLength` from `storedStart` on. */
export interface MediaChunk {
  readonly index: number;
  readonly nonce: Bytes;
  readonly start: number;
  readonly length: number;
  readonly storedStart: number;
  readonly storedLength: number;
}

/** @throws UsageError `bad-argument` when the file has no such chunk. */
export function mediaChunk(plan: MediaPlan, index: number): MediaChunk {
  if (!Number.isSafeInteger(index) || index < 0 || index >= plan.chunks) throw new UsageError("bad-argument", "the file has no such chunk");
  const start = index * MEDIA_CHUNK_BYTES;
  const length = Math.min(MEDIA_CHUNK_BYTES, plan.paddedBytes - start);
  return {
    index,
    nonce: mediaNonce(index, index === plan.chunks - 1),
    start,
    length,
    storedStart: MEDIA_HEADER_BYTES + index * (MEDIA_CHUNK_BYTES + MEDIA_TAG_BYTES),
    storedLength: length + MEDIA_TAG_BYTES,
  };
}

export interface MediaKeys {
  /** The header of the file. No other file key has the same, so no file opens under two. */
  readonly commitment: Bytes;
  readonly aeadKey: Secret;
}

/**
 * Both follow from the file key, which is drawn for one file and encrypts one plaintext only.
 * @throws UsageError `bad-argument` unless it has 32 bytes.
 */
export function mediaKeys(fileKey: Secret): MediaKeys {
  if (fileKey.length !== KEY_BYTES) throw new UsageError("bad-argument", "a file key has 32 bytes");
  const derive = (info: Bytes) => hkdf({ salt: EMPTY, inputKey: fileKey.expose(), info, length: KEY_BYTES });
  return { commitment: derive(LABELS.MEDIA_COMMITMENT), aeadKey: new Secret(derive(LABELS.MEDIA_AEAD_KEY)) };
}

const NONCE_PREFIX: Bytes = new Uint8Array(7);

/**
 * Seven zeros, the chunk's place as four big-endian bytes, and whether it is the last. So chunks that change places, and a
 * file that ends early or goes on, do not open; and no two chunks of a file have the same nonce.
 */
export function mediaNonce(index: number, isFinal: boolean): Bytes {
  return concat(NONCE_PREFIX, be32(index), new Uint8Array([isFinal ? 1 : 0]));
}

/**
 * By which a message names a stored file: SHA-256 over its header and the SHA-256 of each of its chunks, in their order. No other
 * file has it, and whoever has threads hashes several chunks at once.
 */
export function mediaDigest(header: Bytes, chunkDigests: readonly Bytes[]): Bytes {
  return sha256(concat(LABELS.MEDIA_DIGEST, header, ...chunkDigests));
}
