// Safety numbers: what two people compare to know that no one stands between them. The numeric form is Signal's
// (fingerprint version 2, stable identifiers); ours is computed over userIds and genesis keys, so that it belongs
// to the person and stays when devices come and go.

import { type PublicKey, sha512, equal } from "#crypto";
import { type Bytes, copy, decodeScannableFingerprint, encodeScannableFingerprint } from "#wire";

const ITERATIONS = 5200;
const VERSION_PREFIX: Bytes = new Uint8Array(2);
const SCANNABLE_VERSION = 2;
const SCANNED_BYTES = 32;
const GROUPS = 6;
const GROUP_BYTES = 5;

/** One side: its stable identifier (for us the 16 bytes of the userId) and its key. */
export interface FingerprintParty {
  readonly identifier: Bytes;
  readonly identityKey: PublicKey;
}

export interface Fingerprint {
  /** 60 digits, the same for both sides. */
  readonly digits: string;
  /** What goes into a QR code; the two sides' differ and match each other by `compareScanned`. */
  readonly scannable: Bytes;
}

export function fingerprint(local: FingerprintParty, remote: FingerprintParty): Fingerprint {
  const ours = fingerprintHash(local);
  const theirs = fingerprintHash(remote);
  const digits = [digitsOf(ours), digitsOf(theirs)].toSorted().join("");
  const scannable = encodeScannableFingerprint({
    version: SCANNABLE_VERSION,
    local: copy(ours.subarray(0, SCANNED_BYTES)),
    remote: copy(theirs.subarray(0, SCANNED_BYTES)),
  });
  return { digits, scannable };
}

/**
 * Compares what the other person's device shows with our own. A code of another version is a mismatch: both sides
 * must update. @throws WireError for bytes that are no fingerprint.
 */
export function compareScanned(own: Fingerprint, scanned: Bytes): "match" | "mismatch" {
  const mine = decodeScannableFingerprint(own.scannable);
  const theirs = decodeScannableFingerprint(scanned);
  const crossed = equal(mine.local, theirs.remote) && equal(mine.remote, theirs.local);
  return mine.version === theirs.version && crossed ? "match" : "mismatch";
}

/** 5,200 hashes: a short code stays costly to collide with. */
function fingerprintHash(party: FingerprintParty): Bytes {
  const key = party.identityKey.encode();
  let hash = sha512(VERSION_PREFIX, key, party.identifier, key);
  for (let i = 1; i < ITERATIONS; i++) hash = sha512(hash, key);
  return hash;
}

function digitsOf(hash: Bytes): string {
  let digits = "";
  for (let group = 0; group < GROUPS; group++) {
    let value = 0;
    for (const byte of hash.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES)) value = value * 256 + byte;
    digits += String(value % 100_000).padStart(5, "0");
  }
  return digits;
}
