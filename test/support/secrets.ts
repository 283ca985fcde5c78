// What holds secrets in crypto/, with the secret beside it, and a search for a secret in a text.

import { generateKeyPair, generateKyberKeyPair, generateSigningKeyPair, type Random, Secret } from "#crypto";
import { type Bytes, toHex } from "#wire";

export interface Holder {
  readonly name: string;
  readonly holder: object;
  /** A copy, taken before the holder got its own. */
  readonly secret: Bytes;
}

export function holders(random: Random): readonly Holder[] {
  const bytes = random(32);
  const pair = generateKeyPair(random);
  const kyber = generateKyberKeyPair(random);
  const signing = generateSigningKeyPair(random);
  return [
    { name: "Secret", holder: new Secret(Uint8Array.from(bytes)), secret: bytes },
    { name: "KeyPair", holder: pair, secret: Uint8Array.from(pair.privateKey.expose()) },
    { name: "KyberKeyPair", holder: kyber, secret: Uint8Array.from(kyber.seed.expose()) },
    { name: "SigningKeyPair", holder: signing, secret: Uint8Array.from(signing.seed.expose()) },
  ];
}

/** Every secret that can be reached from a state, with its path. */
export function secretsOf(value: unknown, path = "state"): readonly (readonly [string, Secret])[] {
  if (value instanceof Secret) return [[path, value]];
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, inner]) => secretsOf(inner, `${path}.${name}`));
}

const WINDOW = 5;

/** Whether five neighbouring bytes stand in the text: as hexadecimal, decimal, base64, or as characters. */
export function traces(secret: Bytes, text: string): boolean {
  const digits = text.replaceAll(/"?\d+"?:\s*/g, "").replaceAll(/[^0-9a-z]+/gi, " ");
  const lower = text.toLowerCase();
  for (let at = 0; at + WINDOW <= secret.length; at++) {
    const window = secret.slice(at, at + WINDOW);
    if (lower.includes(toHex(window)) || ` ${digits} `.includes(` ${window.join(" ")} `)) return true;
    if (text.includes(String.fromCharCode(...window)) || base64Cores(window).some((core) => text.includes(core))) return true;
  }
  return false;
}

/** The characters of base64 that the window decides alone, for each of the three places it can stand at. */
function base64Cores(window: Bytes): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = btoa(String.fromCharCode(...new Uint8Array(shift), ...window));
    return encoded.slice(Math.ceil((8 * shift) / 6), Math.floor((8 * (shift + window.length)) / 6));
  });
}
