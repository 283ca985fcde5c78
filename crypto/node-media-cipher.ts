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
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(nonce, sealed) {
      const length = sealed.length - TAG.authTagLength;
      try {
        const decipher = createDecipheriv(NAME, handle, nonce, TAG);
        decipher.setAuthTag(sealed.subarray(length));
        const plaintext = unwritten(length);
        plaintext.set(decipher.update(sealed.subarray(0, length)));
        decipher.final();
        return plaintext;
      } catch (cause) {
        throw new ProtocolError("bad-tag", { cause });
      }
    },
  };
}

/** Memory of its own that is written over in full by whoever asks for it: zeroing 64 KiB first takes as long as encrypting them. */
function unwritten(length: number): Bytes {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
