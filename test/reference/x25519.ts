// X25519 in plain big integers: the pseudo-code of RFC 7748 section 5, the slow twin of both backends.

import type { Bytes } from "#wire";
import { fromLittleEndian, invert, mod, toLittleEndian } from "./edwards25519.ts";

const A24 = 121665n;

export function x25519(scalar: Uint8Array, u: Uint8Array): Bytes {
  const k = clampedScalar(scalar);
  const x1 = fromLittleEndian(u) & (2n ** 255n - 1n);
  let [x2, z2, x3, z3] = [1n, 0n, x1, 1n];
  let swap = 0n;
  for (let t = 254n; t >= 0n; t--) {
    const bit = (k >> t) & 1n;
    if ((swap ^ bit) === 1n) [x2, x3, z2, z3] = [x3, x2, z3, z2];
    swap = bit;
    const [a, b] = [mod(x2 + z2), mod(x2 - z2)];
    const [aa, bb] = [mod(a * a), mod(b * b)];
    const e = mod(aa - bb);
    const [da, cb] = [mod(mod(x3 - z3) * a), mod(mod(x3 + z3) * b)];
    x3 = mod((da + cb) ** 2n);
    z3 = mod(x1 * (da - cb) ** 2n);
    x2 = mod(aa * bb);
    z2 = mod(e * (aa + A24 * e));
  }
  if (swap === 1n) [x2, z2] = [x3, z3];
  return toLittleEndian(mod(x2 * invert(z2)));
}

export function clampedScalar(scalar: Uint8Array): bigint {
  return (fromLittleEndian(scalar) & (2n ** 255n - 8n)) | (2n ** 254n);
}
