import { describe, expect, test } from "vitest";
import { generateKeyPair } from "../../crypto/index.ts";
import { compareScanned, fingerprint, type FingerprintParty } from "../../protocol/index.ts";
import { type Bytes, copy } from "../../wire/index.ts";
import { chooseBackend } from "./backends.ts";
import { LIBRARIES, type Library } from "./library.ts";

const ITERATIONS = 5200;
const SERVICE_IDS = 2;
const PAIRS = Array.from({ length: 100 }, (_, i) => i);

function byTheirs(
  { api }: Library,
  local: FingerprintParty,
  remote: FingerprintParty,
): { readonly digits: string; readonly scannable: Bytes } {
  const keys = [local, remote].map(({ identityKey }) => api.PublicKey.deserialize(identityKey.encode()));
  const [localKey, remoteKey] = keys;
  if (localKey === undefined || remoteKey === undefined) throw new RangeError("two keys");
  const made = api.Fingerprint.new(ITERATIONS, SERVICE_IDS, local.identifier, localKey, remote.identifier, remoteKey);
  return { digits: made.displayableFingerprint().toString(), scannable: copy(made.scannableFingerprint().toBuffer()) };
}

function compareByTheirs({ api }: Library, own: Bytes, scanned: Bytes): boolean {
  return api.ScannableFingerprint._fromBuffer(own).compare(api.ScannableFingerprint._fromBuffer(scanned));
}

describe.each(LIBRARIES)("fingerprints with $version", (library) => {
  test("a hundred random pairs show the same digits and the same code, and match when scanned both ways", () => {
    for (const seed of PAIRS) {
      const random = chooseBackend(seed);
      const party = (): FingerprintParty => ({ identifier: random(16), identityKey: generateKeyPair(random).publicKey });
      const [alice, bob] = [party(), party()];
      const ours = fingerprint(alice, bob);
      const theirs = byTheirs(library, bob, alice);
      expect(ours.digits).toBe(theirs.digits);
      expect(ours.scannable).toEqual(byTheirs(library, alice, bob).scannable);
      expect(compareScanned(ours, theirs.scannable)).toBe("match");
      expect(compareByTheirs(library, theirs.scannable, ours.scannable)).toBe(true);
    }
  });

  test("another person's code is a mismatch for both", () => {
    for (const seed of PAIRS.slice(0, 10)) {
      const random = chooseBackend(seed);
      const party = (): FingerprintParty => ({ identifier: random(16), identityKey: generateKeyPair(random).publicKey });
      const [alice, bob, eve] = [party(), party(), party()];
      const ours = fingerprint(alice, bob);
      const other = byTheirs(library, eve, alice);
      expect(compareScanned(ours, other.scannable)).toBe("mismatch");
      expect(compareByTheirs(library, other.scannable, ours.scannable)).toBe(false);
    }
  });
});
