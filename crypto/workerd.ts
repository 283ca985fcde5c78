// The backend of the server: noble, with workerd's own code for what a server does in numbers. An upload of prekeys has two
// dozen signatures: 1.5 ms instead of 50. A part of a file is hashed when its uploader says what its hash is.

import { createPublicKey, verify } from "node:crypto";
import { type Bytes, concat, fromHex } from "#wire";
import type { Backend } from "./backend.ts";
import { nativeSha256Stream } from "./native-hash.ts";
import { nobleBackend } from "./noble.ts";

/** RFC 8410: a SubjectPublicKeyInfo of Ed25519 is this and the key. */
const SPKI_PREFIX: Bytes = fromHex("302a300506032b6570032100");

export const workerdBackend: Backend = {
  ...nobleBackend,
  name: "workerd",
  sha256Stream: nativeSha256Stream,
  ed25519Verify(publicKey, message, signature) {
    try {
      const key = createPublicKey({ key: asBuffer(concat(SPKI_PREFIX, publicKey)), format: "der", type: "spki" });
      return verify(undefined, message, key, signature);
    } catch {
      return false; // not a point on the curve
    }
  },
};

/** The declared type asks for a Buffer; any byte string will do. */
function asBuffer(bytes: Bytes): Buffer {
  return bytes as Buffer; // it is only read
}
