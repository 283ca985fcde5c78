// Bytes that are as good as an encrypted file to whoever cannot open one.

import type { Bytes } from "#wire";

/** Different at every place and for every seed. */
export function noise(length: number, seed = 1): Bytes {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, state = Math.imul(seed, 0x9e37_79b1) | 1; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer).slice(0, length);
}
