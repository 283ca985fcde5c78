// Files for tests of media: streams of bytes, whole files from streams, and what a message would say of them. Runs in every
// runtime.

import { Secret } from "#crypto";
import { type Bytes, concat, copy } from "#wire";
import { decryptMedia, EncryptedMedia, type MediaSecrets } from "../../client/media/cipher.ts";

export interface StoredFile {
  readonly stored: Bytes;
  readonly secrets: MediaSecrets;
}

export async function storedFile(plaintext: Bytes, key: Bytes): Promise<StoredFile> {
  const encrypted = new EncryptedMedia(stream(plaintext), plaintext.length, new Secret(copy(key)));
  const stored = await gathered(encrypted.stored);
  return { stored, secrets: { key, digest: encrypted.digest(), size: plaintext.length } };
}

/** In pieces of the given lengths, again and again, or in one. */
export async function* stream(bytes: Bytes, lengths: readonly number[] = [bytes.length]): AsyncGenerator<Bytes, void, undefined> {
  for (let [at, i] = [0, 0]; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? bytes.length);
    yield bytes.slice(at, end);
    at = end;
  }
}

export async function gathered(source: AsyncIterable<Bytes>): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for await (const piece of source) pieces.push(copy(piece));
  return concat(...pieces);
}

/** What came out before the end, and how it ended. */
export interface Reading {
  readonly released: Bytes;
  /** `done`, or the code of the refusal. */
  readonly end: string;
}

export async function readWhole(stored: Bytes, secrets: MediaSecrets, storedBytes: number = stored.length): Promise<Reading> {
  return reading(decryptMedia(stream(stored, [270_000]), secrets, storedBytes));
}

export async function reading(source: AsyncIterable<Bytes>): Promise<Reading> {
  const pieces: Bytes[] = [];
  try {
    for await (const piece of source) pieces.push(copy(piece));
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return { released: concat(...pieces), end: String(error.code) };
  }
  return { released: concat(...pieces), end: "done" };
}
