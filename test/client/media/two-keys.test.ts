// Why a stored file begins with a commitment: AES-GCM opens one ciphertext under two keys, if somebody who knows both builds it so
// (Dodis et al., CRYPTO 2018). Here it is built, with the arithmetic of GHASH written out; GCM takes it, and a file does not.

import { Secret } from "#crypto";
import { mediaKeys, mediaNonce } from "#protocol";
import { type Bytes, concat, copy, sameBytes } from "#wire";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { expect, test } from "vitest";
import { digestOf } from "../../reference/media.ts";
import { readWhole } from "../../support/media.ts";
import { seededRandom } from "../../support/random.ts";

const BLOCKS = 64;
const NONCE = mediaNonce(0, true);
const random = seededRandom(41);

/** An element of GF(2^128) as GCM writes it: the first bit of the first byte is the coefficient of x^0. */
type Element = bigint;
const ONE: Element = 1n << 127n;

function toElement(block: Uint8Array): Element {
  return BigInt(`0x${Buffer.from(block).toString("hex")}`);
}

function toBlock(element: Element): Bytes {
  return copy(Buffer.from(element.toString(16).padStart(32, "0"), "hex"));
}

/** NIST SP 800-38D section 6.3. */
function times(a: Element, b: Element): Element {
  let [product, shifted] = [0n, b];
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ (0xe1n << 120n) : shifted >> 1n;
  }
  return product;
}

function power(base: Element, exponent: bigint): Element {
  let result = ONE;
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = times(result, square);
    square = times(square, square);
  }
  return result;
}

/** a^(2^128 - 2). */
function inverse(a: Element): Element {
  return power(a, (1n << 128n) - 2n);
}

function encryptBlock(key: Bytes, block: Bytes): Element {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return toElement(cipher.update(block));
}

/** What GCM's tag is under a key: GHASH over the ciphertext and its length, and the block that masks it. */
function tagOf(key: Bytes, ciphertext: Bytes): Element {
  const h = encryptBlock(key, new Uint8Array(16));
  let hash = 0n;
  for (let at = 0; at < ciphertext.length; at += 16) hash = times(hash ^ toElement(ciphertext.subarray(at, at + 16)), h);
  return times(hash ^ BigInt(8 * ciphertext.length), h) ^ encryptBlock(key, concat(NONCE, new Uint8Array([0, 0, 0, 1])));
}

/** One ciphertext with one tag that is right under both keys: its last block makes up for the difference of the tags. */
function forged(one: Bytes, other: Bytes): Bytes {
  const ciphertext = concat(random(16 * (BLOCKS - 1)), new Uint8Array(16));
  const difference = tagOf(one, ciphertext) ^ tagOf(other, ciphertext);
  const weight = (key: Bytes): Element => power(encryptBlock(key, new Uint8Array(16)), 2n);
  const last = times(difference, inverse(weight(one) ^ weight(other)));
  ciphertext.set(toBlock(last), ciphertext.length - 16);
  return concat(ciphertext, toBlock(tagOf(one, ciphertext)));
}

function opensUnder(key: Bytes, sealed: Bytes): boolean {
  const decipher = createDecipheriv("aes-256-gcm", key, NONCE, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    decipher.update(sealed.subarray(0, -16));
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

const [keyA, keyB] = [random(32), random(32)];
const [filesA, filesB] = [mediaKeys(new Secret(copy(keyA))), mediaKeys(new Secret(copy(keyB)))];
const sealed = forged(copy(filesA.aeadKey.expose()), copy(filesB.aeadKey.expose()));
/** As long as the least padded length, so that there is no padding to be wrong. */
const size = 16 * BLOCKS;

async function ends(header: Bytes): Promise<readonly string[]> {
  const stored = concat(header, sealed);
  const read = async (key: Bytes) => (await readWhole(stored, { key, digest: copy(digestOf(stored)), size })).end;
  return [await read(keyA), await read(keyB)];
}

test("GCM by itself opens the forged chunk under both keys, to two plaintexts", () => {
  for (const { aeadKey } of [filesA, filesB]) expect(opensUnder(copy(aeadKey.expose()), sealed)).toBe(true);
  expect(opensUnder(random(32), sealed)).toBe(false);
  expect(sameBytes(filesA.commitment, filesB.commitment)).toBe(false);
});

test("a file with this chunk opens under the one key that its header commits to, and under no other", async () => {
  expect(await ends(filesA.commitment)).toEqual(["done", "bad-key"]);
  expect(await ends(filesB.commitment)).toEqual(["bad-key", "done"]);
});

test("no header lets both in", async () => {
  const mixed = filesA.commitment.map((byte, i) => byte ^ (filesB.commitment[i] ?? 0));
  for (const header of [mixed, new Uint8Array(32), random(32)]) expect(await ends(header)).toEqual(["bad-key", "bad-key"]);
});
