// AES-256-GCM and SHA-256 for the chunks of files. Asynchronous, because outside Node it is Web Crypto's: there the platform encrypts, in native
// code, while a JavaScript implementation would stand still for seconds over one file. The nonce is the chunk's place (mediaNonce of
// protocol/), which is safe because a key encrypts one file, once.

import { type Bytes, ProtocolError, UsageError } from "#wire";
import { backend, type ChunkCipher } from "./backend.ts";
import { exposeKey, type Secret } from "./secret.ts";
import { subtle } from "./subtle.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const ALGORITHM = "AES-GCM";

/** The key of one file, which cannot be read back. */
export type MediaKey =
  | { readonly kind: "called"; readonly cipher: ChunkCipher }
  | { readonly kind: "web"; readonly key: (typeof CryptoKey)["prototype"] };

/** Borrows the secret. @throws UsageError `bad-argument` for another length, or where there is no Web Crypto. */
export async function importMediaKey(aeadKey: Secret): Promise<MediaKey> {
  const raw = exposeKey(aeadKey, KEY_BYTES);
  const cipher = backend().chunkCipher?.(raw);
  if (cipher !== undefined) return { kind: "called", cipher };
  return { kind: "web", key: await subtle().importKey("raw", raw, ALGORITHM, false, ["encrypt", "decrypt"]) };
}

/** The chunk with its 16-byte tag behind it. `plaintext` may be written over as soon as this returns its promise. */
export async function sealChunk(key: MediaKey, nonce: Bytes, plaintext: Bytes): Promise<Bytes> {
  requireNonce(nonce);
  if (key.kind === "called") return key.cipher.seal(nonce, plaintext);
  return new Uint8Array(await subtle().encrypt({ name: ALGORITHM, iv: nonce }, key.key, plaintext));
}

/** As above. @throws ProtocolError `bad-tag`; nothing of the chunk is released then. */
export async function openChunk(key: MediaKey, nonce: Bytes, sealed: Bytes): Promise<Bytes> {
  requireNonce(nonce);
  if (key.kind === "called") return key.cipher.open(nonce, sealed);
  const platform = subtle();
  try {
    return new Uint8Array(await platform.decrypt({ name: ALGORITHM, iv: nonce }, key.key, sealed));
  } catch (cause) {
    throw new ProtocolError("bad-tag", { cause });
  }
}

/** SHA-256 of a chunk, by a thread of the platform's while this one works on. `sealed` may be written over as soon as this returns its promise. */
export async function digestChunk(sealed: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle().digest("SHA-256", sealed));
}

/** @throws UsageError `bad-argument`; another length would be hashed to a nonce that nobody planned. */
function requireNonce(nonce: Bytes): void {
  if (nonce.length !== NONCE_BYTES) throw new UsageError("bad-argument", "the nonce of a chunk has 12 bytes");
}
