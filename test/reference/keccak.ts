// SHA-3 and SHAKE in big integers, written from FIPS 202: the slow twin of the two hashes around Kyber1024.

import { type Bytes, concat } from "#wire";

const MASK = 2n ** 64n - 1n;

function rotate(lane: bigint, by: number): bigint {
  return ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & MASK;
}

/** The lane at (x, y) of a state stored as x + 5y (FIPS 202 section 3.1.2). */
function at(state: readonly bigint[], x: number, y: number): bigint {
  return state[(x % 5) + 5 * (y % 5)] ?? 0n;
}

/** Keccak-f[1600] (FIPS 202 section 3.3): theta, rho, pi, chi, iota, 24 times. */
function permute(start: readonly bigint[]): bigint[] {
  let state = [...start];
  for (let round = 0; round < 24; round++) {
    const parity = [0, 1, 2, 3, 4].map((x) => at(state, x, 0) ^ at(state, x, 1) ^ at(state, x, 2) ^ at(state, x, 3) ^ at(state, x, 4));
    const mixed = state.map((lane, i) => lane ^ (parity[(i + 4) % 5] ?? 0n) ^ rotate(parity[((i % 5) + 1) % 5] ?? 0n, 1));
    const moved = rhoAndPi(mixed);
    state = moved.map((lane, i) => {
      const [x, y] = [i % 5, Math.floor(i / 5)];
      return lane ^ (~at(moved, x + 1, y) & MASK & at(moved, x + 2, y));
    });
    state[0] = (state[0] ?? 0n) ^ roundConstant(round);
  }
  return state;
}

function rhoAndPi(state: readonly bigint[]): bigint[] {
  const moved = [...state];
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t++) {
    const lane = rotate(at(state, x, y), (((t + 1) * (t + 2)) / 2) % 64);
    [x, y] = [y, (2 * x + 3 * y) % 5];
    moved[x + 5 * y] = lane;
  }
  return moved;
}

const ROUND_CONSTANTS: readonly bigint[] = Array.from({ length: 24 }, (_, round) => {
  let constant = 0n;
  for (let j = 0; j <= 6; j++) if (feedback(j + 7 * round) === 1) constant |= 1n << BigInt(2 ** j - 1);
  return constant;
});

function roundConstant(round: number): bigint {
  return ROUND_CONSTANTS[round] ?? 0n;
}

/** rc(t) of FIPS 202 algorithm 5: a shift register over x^8 + x^6 + x^5 + x^4 + 1. */
function feedback(t: number): number {
  let register = 1;
  for (let i = 0; i < t % 255; i++) register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
  return register & 1;
}

function sponge(rate: number, suffix: number, input: Uint8Array, length: number): Bytes {
  const padding = new Uint8Array(rate - (input.length % rate));
  padding[0] = suffix;
  padding[padding.length - 1] = (padding[padding.length - 1] ?? 0) | 0x80;
  const padded = concat(input, padding);
  let state: bigint[] = Array.from({ length: 25 }, () => 0n);
  for (let start = 0; start < padded.length; start += rate) {
    for (let i = 0; i < rate; i++) state[i >> 3] = (state[i >> 3] ?? 0n) ^ (BigInt(padded[start + i] ?? 0) << BigInt(8 * (i & 7)));
    state = permute(state);
  }
  const output = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    if (i > 0 && i % rate === 0) state = permute(state);
    const byte = i % rate;
    output[i] = Number(((state[byte >> 3] ?? 0n) >> BigInt(8 * (byte & 7))) & 0xffn);
  }
  return output;
}

export function sha3_256(input: Uint8Array): Bytes {
  return sponge(136, 0x06, input, 32);
}

export function sha3_512(input: Uint8Array): Bytes {
  return sponge(72, 0x06, input, 64);
}

export function shake128(input: Uint8Array, length: number): Bytes {
  return sponge(168, 0x1f, input, length);
}

export function shake256(input: Uint8Array, length: number): Bytes {
  return sponge(136, 0x1f, input, length);
}
