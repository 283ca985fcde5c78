// The files that the slow twin made, in every runtime.

import { type Bytes, fromHex, sameBytes, toHex } from "#wire";
import { mediaKeys, mediaNonce, planMedia } from "#protocol";
import { Secret } from "#crypto";
import { expect, test } from "vitest";
import { readWhole, storedFile } from "../../support/media.ts";
import vectors from "../../vectors/media.json" with { type: "json" };

/** The rule that stands in the file's `source`. */
function plaintextOf(size: number): Bytes {
  return new Uint8Array(size).map((_, i) => 167 * i + Math.floor(i / 256));
}

test("plans, keys and nonces are those of the vectors", () => {
  for (const { size, fileKey, commitment, aeadKey, padded, chunks, lastNonce, stored } of vectors.cases) {
    const keys = mediaKeys(new Secret(fromHex(fileKey)));
    expect([toHex(keys.commitment), toHex(keys.aeadKey.expose())]).toEqual([commitment, aeadKey]);
    expect(planMedia(size)).toEqual({ size, paddedBytes: padded, storedBytes: stored, chunks });
    expect(toHex(mediaNonce(chunks - 1, true))).toBe(lastNonce);
  }
  expect(vectors.cases).toHaveLength(11);
});

test.each(vectors.cases)("a file of $size bytes is encrypted to the bytes of the vectors, and read back", async (vector) => {
  const plaintext = plaintextOf(vector.size);
  const { stored, secrets } = await storedFile(plaintext, fromHex(vector.fileKey));
  expect(stored).toHaveLength(vector.stored);
  expect(toHex(secrets.digest)).toBe(vector.digest);
  expect(toHex(stored)).toSatisfy((hex: string) => vector.file === undefined || hex === vector.file);
  const { released, end } = await readWhole(stored, secrets);
  expect([end, sameBytes(released, plaintext)]).toEqual(["done", true]);
});
