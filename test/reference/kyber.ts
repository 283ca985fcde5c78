// The public key of Kyber1024 (round 3) from its seed, by the definitions: section 1.2 of the round-3 submission,
// FIPS 203 section 5.1. Transforms are evaluations and every product is written out: the slow twin of key generation.

import { type Bytes, concat } from "#wire";
import { sha3_512, shake128, shake256 } from "./keccak.ts";

const Q = 3329;
const N = 256;
const K = 4;
const ZETA = 17;

type Polynomial = readonly number[];

/** t and the matrix seed, 1,568 bytes. FIPS 203 hashes the rank behind the seed d; round 3 hashes d alone. */
export function kyber1024PublicKey(d: Uint8Array, form: "round-3" | "fips-203"): Bytes {
  const expanded = sha3_512(form === "round-3" ? d : concat(d, new Uint8Array([K])));
  const [matrixSeed, noiseSeed] = [expanded.slice(0, 32), expanded.slice(32)];
  const secret = rows((i) => transform(noise(noiseSeed, i)));
  const error = rows((i) => transform(noise(noiseSeed, K + i)));
  const t = rows((i) => {
    const products = rows((j) => product(uniform(matrixSeed, j, i), secret[j] ?? []));
    return [...products, error[i] ?? []].reduce((sum, term) => sum.map((value, n) => (value + (term[n] ?? 0)) % Q));
  });
  return concat(...t.map(encode12), matrixSeed);
}

function rows<T>(make: (index: number) => T): readonly T[] {
  return Array.from({ length: K }, (_, i) => make(i));
}

/** FIPS 203 algorithm 7: rejection sampling of 12-bit numbers, the result already in transformed form. */
function uniform(seed: Uint8Array, column: number, row: number): Polynomial {
  // 448 candidates, of which four in five are good: fewer than 256 will not be seen.
  const stream = shake128(concat(seed, new Uint8Array([column, row])), 168 * 4);
  const numbers: number[] = [];
  for (let i = 0; i + 2 < stream.length; i += 3) {
    const [a = 0, b = 0, c = 0] = stream.subarray(i, i + 3);
    numbers.push(a | ((b & 15) << 8), (b >> 4) | (c << 4));
  }
  const accepted = numbers.filter((value) => value < Q).slice(0, N);
  if (accepted.length < N) throw new RangeError("stream too short");
  return accepted;
}

/** FIPS 203 algorithm 8 with eta = 2: the difference of two sums of two bits each. */
function noise(seed: Uint8Array, counter: number): Polynomial {
  const stream = shake256(concat(seed, new Uint8Array([counter])), 128);
  const bit = (at: number): number => ((stream[at >> 3] ?? 0) >> (at & 7)) & 1;
  return Array.from({ length: N }, (_, i) => bit(4 * i) + bit(4 * i + 1) - bit(4 * i + 2) - bit(4 * i + 3));
}

/** The root of factor i of X^256 + 1: 17^(2 brv(i) + 1), brv reversing seven bits. */
const ROOTS: readonly number[] = Array.from({ length: 128 }, (_, i) => {
  let reversed = 0;
  for (let bit = 0; bit < 7; bit++) reversed |= ((i >> bit) & 1) << (6 - bit);
  return powerOf(ZETA, 2 * reversed + 1);
});

function powerOf(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = (result * base) % Q;
  return result;
}

/** The remainders modulo every X^2 - root, constant term first: even and odd coefficients evaluated at the root. */
function transform(polynomial: Polynomial): Polynomial {
  return ROOTS.flatMap((root) => [evaluate(polynomial, 0, root), evaluate(polynomial, 1, root)]);
}

function evaluate(polynomial: Polynomial, parity: number, at: number): number {
  let value = 0;
  for (let i = N - 2 + parity; i >= 0; i -= 2) value = (((value * at + (polynomial[i] ?? 0)) % Q) + Q) % Q;
  return value;
}

/** Factor by factor: (a0 + a1 X)(b0 + b1 X) modulo X^2 - root. */
function product(a: Polynomial, b: Polynomial): Polynomial {
  return ROOTS.flatMap((root, i) => {
    const [a0 = 0, a1 = 0] = a.slice(2 * i, 2 * i + 2);
    const [b0 = 0, b1 = 0] = b.slice(2 * i, 2 * i + 2);
    return [(a0 * b0 + ((a1 * b1) % Q) * root) % Q, (a0 * b1 + a1 * b0) % Q];
  });
}

function encode12(polynomial: Polynomial): Bytes {
  const bytes = new Uint8Array(384);
  for (let i = 0; i < N; i += 2) {
    const [a = 0, b = 0] = polynomial.slice(i, i + 2);
    bytes.set([a & 0xff, (a >> 8) | ((b & 15) << 4), b >> 4], (3 * i) / 2);
  }
  return bytes;
}
