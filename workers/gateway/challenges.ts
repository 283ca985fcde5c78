// Challenges without memory: the nonce itself proves that this server made it, for whom, and when.
// Layout: until when (4 bytes, seconds), random (12), MAC (16) over those, the origin and the device.

import { equal, hmac, LABELS, labelled, type Random } from "#crypto";
import { deriveServerKey, type SeedVersion } from "#durable-objects";
import { be32, type Bytes, CHALLENGE_LIFETIME_SECONDS, concat, type DeviceAddress, toUtf8, uuidToBytes } from "#wire";
import { newestOf } from "./seeds.ts";

const RANDOM_BYTES = 12;
const CLEAR_BYTES = 4 + RANDOM_BYTES;
const MAC_BYTES = 16;

export class Challenges {
  readonly #newest: Bytes;
  readonly #keys: readonly Bytes[];

  /** @param seeds newest first: it makes nonces, the others are accepted */
  constructor(seeds: readonly SeedVersion[]) {
    this.#newest = keyOf(newestOf(seeds));
    this.#keys = seeds.map(keyOf);
  }

  issue(device: DeviceAddress, origin: string, nowSeconds: number, random: Random): Bytes {
    const clear = concat(be32(nowSeconds + CHALLENGE_LIFETIME_SECONDS), random(RANDOM_BYTES));
    return concat(clear, macOf(this.#newest, clear, device, origin));
  }

  /** Whether this server made the nonce for this device within the last minute. */
  accepts(nonce: Bytes, device: DeviceAddress, origin: string, nowSeconds: number): boolean {
    if (nonce.length !== CLEAR_BYTES + MAC_BYTES) return false;
    const clear = nonce.slice(0, CLEAR_BYTES);
    const mac = nonce.slice(CLEAR_BYTES);
    if (!this.#keys.some((key) => equal(macOf(key, clear, device, origin), mac))) return false;
    return nowSeconds <= new DataView(clear.buffer).getUint32(0);
  }
}

function macOf(key: Bytes, clear: Bytes, { userId, deviceId }: DeviceAddress, origin: string): Bytes {
  const statement = labelled(LABELS.SERVER_CHALLENGE, clear, toUtf8(origin), uuidToBytes(userId), new Uint8Array([deviceId]));
  return hmac(key, statement).slice(0, MAC_BYTES);
}

function keyOf(seed: SeedVersion): Bytes {
  return deriveServerKey(seed, LABELS.SERVER_CHALLENGE);
}
