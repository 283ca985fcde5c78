import { parsePublicKey } from "#crypto";
import { compareScanned, fingerprint, type FingerprintParty } from "#protocol";
import { ascii, fromHex } from "#wire";
import { expect, test } from "vitest";

// The published example of the numeric fingerprint; identifiers and keys are public test data.
const alice: FingerprintParty = {
  identifier: ascii("+14152222222"),
  identityKey: parsePublicKey(fromHex("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868")),
};
const bob: FingerprintParty = {
  identifier: ascii("+14153333333"),
  identityKey: parsePublicKey(fromHex("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b")),
};
const DIGITS = "300354477692869396892869876765458257569162576843440918079131";

test("the published example comes out, the same on both sides", () => {
  expect(fingerprint(alice, bob).digits).toBe(DIGITS);
  expect(fingerprint(bob, alice).digits).toBe(DIGITS);
});

test("each side's code matches the other's, and neither its own nor a stranger's", () => {
  const own = fingerprint(alice, bob);
  const theirs = fingerprint(bob, alice);
  expect(compareScanned(own, theirs.scannable)).toBe("match");
  expect(compareScanned(theirs, own.scannable)).toBe("match");
  expect(compareScanned(own, own.scannable)).toBe("mismatch");
  const stranger = fingerprint({ ...bob, identifier: ascii("+14153333334") }, alice);
  expect(compareScanned(own, stranger.scannable)).toBe("mismatch");
});

test("another key or another identifier gives other digits", () => {
  expect(fingerprint({ ...alice, identityKey: bob.identityKey }, bob).digits).not.toBe(DIGITS);
  expect(fingerprint({ ...alice, identifier: ascii("+14152222223") }, bob).digits).not.toBe(DIGITS);
});
