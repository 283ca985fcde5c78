// AES-256-GCM of Web Crypto for the chunks of files: asynchronous, because there the platform encrypts, in native code and on
// a thread of its own, while a JavaScript implementation would stand still for seconds over one file. The nonce is the chunk's
// place (mediaNonce of protocol/), which is safe because a key encrypts one file, once.

import { type Bytes, ProtocolError, UsageError } from "#wire";
import { exposeKey, type Secret } from "./secret.ts";
import { subtle } from "./subtle.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const ALGORITHM = "AES-GCM";

/** The key of one file, which cannot be read back. */
export interface MediaKey {
  readonly key: (typeof CryptoKey)["prototype"];
}

/** Borrows the secret. @throws UsageError `bad-argument` for another length, or where there is no Web Crypto. */
export async function importMediaKey(aeadKey: Secret): Promise<MediaKey> {
  const raw = exposeKey(aeadKey, KEY_BYTES);
  return { key: await subtle().importKey("raw", raw, ALGORITHM, false, ["encrypt", "decrypt"]) };
}

/** The chunk with its 16-byte tag behind it. Borrows `plaintext` until it is done. */
export async function sealChunk({ key }: MediaKey, nonce: Bytes, plaintext: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle().encrypt(parameters(nonce), key, plaintext));
}

/** @throws ProtocolError `bad-tag`; nothing of the chunk is released then. */
export async function openChunk({ key }: MediaKey, nonce: Bytes, sealed: Bytes): Promise<Bytes> {
  const [platform, algorithm] = [subtle(), parameters(nonce)];
  try {
    return new Uint8Array(await platform.decrypt(algorithm, key, sealed));
  } catch (cause) {
    throw new ProtocolError("bad-tag", { cause });
  }
}

function parameters(nonce: Bytes): { readonly name: string; readonly iv: Bytes } {
  if (nonce.length !== NONCE_BYTES) throw new UsageError("bad-argument", "the nonce of a chunk has 12 bytes");
  return { name: ALGORITHM, iv: nonce };
}
