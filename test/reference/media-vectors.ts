// What test/vectors/media.json holds, made by the slow twin. To write it again:
// node -e 'import("./test/reference/media-vectors.ts").then((m) => console.log(JSON.stringify(m.mediaVectors(), undefined, 2)))'

import { aeadKeyOf, commitmentOf, digestOf, encrypt, nonceOf, paddedLength } from "./media.ts";

/** Below, at and above every border: the least length, a chunk, two chunks; the largest has chunks that are padding only. */
const SIZES: readonly number[] = [0, 1, 1000, 1024, 1025, 262_143, 262_144, 262_145, 524_288, 524_289, 4_194_305];
/** Files of at most this size are there in full. */
const IN_FULL = 1000;

export interface MediaVector {
  readonly size: number;
  readonly fileKey: string;
  readonly commitment: string;
  readonly aeadKey: string;
  readonly padded: number;
  readonly chunks: number;
  readonly lastNonce: string;
  readonly stored: number;
  readonly digest: string;
  readonly file?: string;
}

export function mediaVectors(): { readonly source: string; readonly cases: readonly MediaVector[] } {
  const source =
    "made by test/reference/media.ts; byte i of a plaintext is (167 i + floor(i / 256)) mod 256, byte i of the key of case c is (16 c + 7 i) mod 256";
  return { source, cases: SIZES.map(vector) };
}

function vector(size: number, number: number): MediaVector {
  const fileKey = Uint8Array.from({ length: 32 }, (_, i) => 16 * number + 7 * i);
  const plaintext = new Uint8Array(size).map((_, i) => 167 * i + Math.floor(i / 256));
  const stored = encrypt(plaintext, fileKey);
  const chunks = Math.ceil(paddedLength(size) / 262_144);
  return {
    size,
    fileKey: Buffer.from(fileKey).toString("hex"),
    commitment: commitmentOf(fileKey).toString("hex"),
    aeadKey: aeadKeyOf(fileKey).toString("hex"),
    padded: paddedLength(size),
    chunks,
    lastNonce: nonceOf(chunks - 1, chunks).toString("hex"),
    stored: stored.length,
    digest: digestOf(stored).toString("hex"),
    ...(size <= IN_FULL ? { file: stored.toString("hex") } : {}),
  };
}
