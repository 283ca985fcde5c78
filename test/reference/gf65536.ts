// GF(2^16) by long multiplication and search-free inversion: slow, obvious, and kept equal to protocol/pq/gf65536.ts.

const POLYNOMIAL = 0x1100b;

export function slowMultiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 15; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x10000) product ^= POLYNOMIAL;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

/** b^(2^16 - 2), which is 1 / b. */
export function slowInverse(b: number): number {
  let result = 1;
  for (let i = 0; i < 16; i++) {
    result = slowMultiply(result, result);
    if (i < 15) result = slowMultiply(result, b);
  }
  return result;
}

/** The value at `x` of the polynomial through the given points, by Lagrange's formula. */
export function slowInterpolate(points: readonly (readonly [number, number])[], x: number): number {
  let sum = 0;
  for (const [xi, yi] of points) {
    let term = yi;
    for (const [xj] of points) {
      if (xj !== xi) term = slowMultiply(term, slowMultiply(x ^ xj, slowInverse(xi ^ xj)));
    }
    sum ^= term;
  }
  return sum;
}
