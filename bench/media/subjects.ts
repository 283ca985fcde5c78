// Ways to encrypt a file of which the plaintext is at hand. Each hands back what decrypts it again.

import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { decryptMedia, EncryptedMedia } from "../../client/media/cipher.ts";
import { type Backend, nobleBackend, Secret, systemRandom, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { type Bytes, MEDIA_CHUNK_BYTES } from "../../wire/index.ts";

export const WHOLE = "WebCrypto AES-GCM, whole";
const PIECE_BYTES = MEDIA_CHUNK_BYTES;

/** Of one plaintext. Both may be called again and again, and do all the work each time. */
export interface Ciphers {
  encrypt(): Promise<void>;
  /** What `encrypt` made. Gives the number of bytes that came out. */
  decrypt(): Promise<number>;
}

export const SUBJECTS: Readonly<Record<string, (plaintext: Bytes) => Promise<Ciphers>>> = {
  "edgewise (node)": (plaintext) => edgewise(plaintext, nodeBackend),
  "edgewise (noble)": (plaintext) => edgewise(plaintext, nobleBackend),
  [WHOLE]: (plaintext) => webCrypto(plaintext, plaintext.length),
  "WebCrypto AES-GCM and SHA-256, whole": webCryptoAndDigest,
  [`WebCrypto AES-GCM, ${PIECE_BYTES / 1024} KiB`]: (plaintext) => webCrypto(plaintext, PIECE_BYTES),
  "age-encryption 0.3.1": age,
};

/** As a client does it: in a stream, with the digest. */
async function edgewise(plaintext: Bytes, backend: Backend): Promise<Ciphers> {
  let [key, digest, stored] = [systemRandom(32), systemRandom(32), [] as Bytes[]];
  return {
    async encrypt() {
      useBackend(backend);
      key = systemRandom(32);
      stored = [];
      const encrypted = new EncryptedMedia(pieces([plaintext]), plaintext.length, new Secret(key.slice()));
      for await (const piece of encrypted.stored) stored.push(piece);
      digest = encrypted.digest();
    },
    async decrypt() {
      useBackend(backend);
      const length = stored.reduce((sum, piece) => sum + piece.length, 0);
      let out = 0;
      for await (const piece of decryptMedia(pieces(stored), { key, digest, size: plaintext.length }, length)) out += piece.length;
      return out;
    },
  };
}

async function* pieces(given: readonly Bytes[]): AsyncGenerator<Bytes, void, undefined> {
  yield* given;
}

/** The cipher and nothing else: no commitment, no digest, no padding, one piece after the other. */
async function webCrypto(plaintext: Bytes, pieceBytes: number): Promise<Ciphers> {
  const { subtle } = globalThis.crypto;
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const at = (index: number) => ({ name: "AES-GCM", iv: new Uint8Array(Uint32Array.of(index, 0, 0).buffer) });
  let sealed: ArrayBuffer[] = [];
  return {
    async encrypt() {
      sealed = [];
      for (let i = 0; i < plaintext.length; i += pieceBytes) {
        sealed.push(await subtle.encrypt(at(i / pieceBytes), key, plaintext.subarray(i, i + pieceBytes)));
      }
    },
    async decrypt() {
      let out = 0;
      for (const [i, piece] of sealed.entries()) out += (await subtle.decrypt(at(i), key, piece)).byteLength;
      return out;
    },
  };
}

/** What we do of it, without streaming: the cipher, then the digest of what it made. */
async function webCryptoAndDigest(plaintext: Bytes): Promise<Ciphers> {
  const { subtle } = globalThis.crypto;
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
  let sealed = new ArrayBuffer(0);
  return {
    async encrypt() {
      sealed = await subtle.encrypt(algorithm, key, plaintext);
      await subtle.digest("SHA-256", sealed);
    },
    async decrypt() {
      await subtle.digest("SHA-256", sealed);
      return (await subtle.decrypt(algorithm, key, sealed)).byteLength;
    },
  };
}

/** For one recipient. */
async function age(plaintext: Bytes): Promise<Ciphers> {
  const identity = await generateIdentity();
  const [encrypter, decrypter] = [new Encrypter(), new Decrypter()];
  encrypter.addRecipient(await identityToRecipient(identity));
  decrypter.addIdentity(identity);
  let sealed: Bytes = new Uint8Array(0);
  return {
    async encrypt() {
      sealed = await encrypter.encrypt(plaintext);
    },
    async decrypt() {
      return (await decrypter.decrypt(sealed)).length;
    },
  };
}
