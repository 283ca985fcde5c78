// AES-256-GCM of node:crypto for the chunks of files. Where a call is as good as this, Web Crypto costs more than it saves: to hand a
// chunk of 64 KiB to its threads and to take it back is more work than to encrypt it.

import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { type Bytes, ProtocolError } from "#wire";
import type { ChunkCipher } from "./backend.ts";

const NAME = "aes-256-gcm";
const TAG = { authTagLength: 16 };

export function nativeChunkCipher(key: Bytes): ChunkCipher {
  const handle = createSecretKey(key);
  return {
    seal(nonce, plaintext) {
      const cipher = createCipheriv(NAME, handle, nonce, TAG);
      const sealed = unwritten(plaintext.length + TAG.authTagLength);
      const ciphertext = cipher.update(plaintext);
      sealed.set(ciphertext);
      release(ciphertext);
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(nonce, sealed) {
      const length = sealed.length - TAG.authTagLength;
      try {
        const decipher = createDecipheriv(NAME, handle, nonce, TAG);
        decipher.setAuthTag(sealed.subarray(length));
        const { buffer, byteOffset } = decipher.update(sealed.subarray(0, length));
        decipher.final();
        return new Uint8Array(buffer, byteOffset, length);
      } catch (cause) {
        throw new ProtocolError("bad-tag", { cause });
      }
    },
  };
}

/** Memory that is written over in full by whoever asks for it: to zero 64 KiB first would cost a third of encrypting them. */
function unwritten(length: number): Bytes {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** Gives memory back at once, where the next chunk finds it still in the processor's cache. */
function release({ buffer, byteLength }: Bytes): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
