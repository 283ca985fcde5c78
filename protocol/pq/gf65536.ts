// The field GF(2^16) modulo x^16 + x^12 + x^3 + x + 1, by tables of powers of the generator 2. What is coded with it
// is public (keys and ciphertexts in transit), so lookups need not be constant-time.

const POLYNOMIAL = 0x1100b;
const ORDER = 0xffff;

/** Powers 0 … 2·65535 - 1: a sum of two logarithms needs no reduction. */
const POWERS: Uint16Array = new Uint16Array(2 * ORDER);
const LOGARITHMS: Uint16Array = new Uint16Array(ORDER + 1);
fillTables();

function fillTables(): void {
  let value = 1;
  for (let exponent = 0; exponent < ORDER; exponent++) {
    POWERS[exponent] = value;
    POWERS[exponent + ORDER] = value;
    LOGARITHMS[value] = exponent;
    value <<= 1;
    if (value > ORDER) value ^= POLYNOMIAL;
  }
}

export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(LOGARITHMS[a] ?? 0) + (LOGARITHMS[b] ?? 0)] ?? 0;
}

/** `b` is not zero: callers divide by differences of distinct points. */
export function divide(a: number, b: number): number {
  if (a === 0) return 0;
  return POWERS[(LOGARITHMS[a] ?? 0) + ORDER - (LOGARITHMS[b] ?? 0)] ?? 0;
}
