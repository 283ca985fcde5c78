// Encrypted files a second time, from docs/media.md: whole files in memory, the primitives of node:crypto, and nothing of the
// repository's own. The slow twin of wire/media-sizes.ts, protocol/media.ts and client/media/cipher.ts.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, timingSafeEqual } from "node:crypto";

const MOST = 104_857_600;
const CHUNK = 262_144;
const TAG = 16;

/** Padmé in binary digits: of a length with E + 1 of them, 1 + S stay, where S is how many digits E has itself. */
export function paddedLength(size: number): number {
  if (size <= 1024) return 1024;
  const digits = size.toString(2);
  const kept = 1 + (digits.length - 1).toString(2).length;
  const [front, back] = [digits.slice(0, kept), digits.slice(kept)];
  const rounded = Number.parseInt(front, 2) + (back.includes("1") ? 1 : 0);
  return Number.parseInt(rounded.toString(2) + "0".repeat(back.length), 2);
}

export function storedLength(size: number): number {
  let length = 32;
  for (let left = paddedLength(size); left > 0; left -= CHUNK) length += Math.min(left, CHUNK) + TAG;
  return length;
}

export function commitmentOf(fileKey: Uint8Array): Buffer {
  return derived(fileKey, "Edgewise/media/commitment/v1");
}

export function aeadKeyOf(fileKey: Uint8Array): Buffer {
  return derived(fileKey, "Edgewise/media/aead-key/v1");
}

function derived(fileKey: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, Buffer.alloc(0), info, 32));
}

export function nonceOf(index: number, count: number): Buffer {
  return Buffer.from(`${"00".repeat(7)}${index.toString(16).padStart(8, "0")}${index === count - 1 ? "01" : "00"}`, "hex");
}

/** Also of what is no stored file. */
export function digestOf(stored: Uint8Array): Buffer {
  const chunks = split(stored.subarray(32), CHUNK + TAG).map(sha256);
  return sha256(Buffer.concat([Buffer.from("Edgewise/media/digest/v1"), stored.subarray(0, 32), ...chunks]));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

export function encrypt(plaintext: Uint8Array, fileKey: Uint8Array): Buffer {
  if (plaintext.length > MOST) throw new Error("too long");
  const padded = Buffer.concat([plaintext, Buffer.alloc(paddedLength(plaintext.length) - plaintext.length)]);
  const chunks = split(padded, CHUNK).map((chunk, i, all) => {
    const cipher = createCipheriv("aes-256-gcm", aeadKeyOf(fileKey), nonceOf(i, all.length));
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  });
  return Buffer.concat([commitmentOf(fileKey), ...chunks]);
}

export interface Secrets {
  readonly key: Uint8Array;
  readonly digest: Uint8Array;
  readonly size: number;
}

/** All or nothing. */
export function decrypt(stored: Uint8Array, { key, digest, size }: Secrets): Buffer | undefined {
  if (size > MOST || stored.length !== storedLength(size)) return undefined;
  if (!timingSafeEqual(stored.subarray(0, 32), commitmentOf(key)) || !timingSafeEqual(digest, digestOf(stored))) return undefined;
  try {
    const padded = Buffer.concat(
      split(stored.subarray(32), CHUNK + TAG).map((chunk, i, all) => opened(chunk, key, nonceOf(i, all.length))),
    );
    return padded.subarray(size).every((byte) => byte === 0) ? padded.subarray(0, size) : undefined;
  } catch {
    return undefined;
  }
}

function opened(chunk: Uint8Array, key: Uint8Array, nonce: Uint8Array): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", aeadKeyOf(key), nonce, { authTagLength: TAG });
  decipher.setAuthTag(chunk.subarray(chunk.length - TAG));
  return Buffer.concat([decipher.update(chunk.subarray(0, chunk.length - TAG)), decipher.final()]);
}

function split(bytes: Uint8Array, length: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}
