import { generateKeyPair, sign } from "#crypto";
import {
  type CertificateTrust,
  issueSenderCertificate,
  issueServerCertificate,
  matchesAccount,
  validateSenderCertificate,
} from "#identity";
import {
  type Bytes,
  decodeSenderCertificate,
  encodeSenderCertificateFields,
  encodeSigned,
  parseDeviceId,
  type SenderCertificateFields,
} from "#wire";
import { expect, test } from "vitest";
import { Owner } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const NOW = 1_790_000_000_000;
const random = seededRandom(1);
const root = generateKeyPair(random);
const server = generateKeyPair(random);
const owner = new Owner(2);
const second = owner.add();
const { first } = owner;
const serverCertificate = serverCertificateWith(7);
const trust: CertificateTrust = { trustRoots: [root.publicKey], nowMilliseconds: NOW };
const device = { userId: owner.userId, deviceId: first.deviceId };
const request = {
  device,
  identityKey: first.identity.publicKey,
  expiresMilliseconds: NOW,
  serverCertificate,
  serverKey: server.privateKey,
};
const certificate = issueSenderCertificate(request, random);

function serverCertificateWith(id: number, trustRoot = root, serverKey = server): Bytes {
  return issueServerCertificate({ id, serverKey: serverKey.publicKey, trustRoot: trustRoot.privateKey }, random);
}

function refusal(bytes: Bytes, change: Partial<CertificateTrust> = {}): string {
  return codeOf(() => validateSenderCertificate(bytes, { ...trust, ...change }));
}

/** A certificate that the server signed, saying what it never says. */
function forged(change: Partial<SenderCertificateFields>): Bytes {
  const fields = encodeSenderCertificateFields({ ...decodeSenderCertificate(certificate), ...change });
  return encodeSigned({ certificate: fields, signature: sign(server.privateKey, fields, random) });
}

test("a certificate says which device its bearer is, by the device's own ServiceId", () => {
  expect(validateSenderCertificate(certificate, trust)).toEqual({
    sender: device,
    identityKey: first.identity.publicKey,
    expiresMilliseconds: NOW,
  });
});

test("it is good through its last millisecond", () => {
  expect(validateSenderCertificate(certificate, { ...trust, nowMilliseconds: NOW - 1000 }).sender.deviceId).toBe(1);
  expect(refusal(certificate, { nowMilliseconds: NOW + 1 })).toBe("expired");
});

test("any of the trust roots may stand behind it, and nobody else", () => {
  const other = generateKeyPair(random);
  expect(validateSenderCertificate(certificate, { ...trust, trustRoots: [other.publicKey, root.publicKey] }).sender.deviceId).toBe(1);
  expect(refusal(certificate, { trustRoots: [other.publicKey] })).toBe("bad-certificate");
  expect(refusal(certificate, { trustRoots: [server.publicKey] })).toBe("bad-certificate");
  expect(refusal(certificate, { trustRoots: [] })).toBe("bad-certificate");
});

test("both links of the chain are checked", () => {
  const other = generateKeyPair(random);
  const byOtherKey = issueSenderCertificate({ ...request, serverKey: other.privateKey }, random);
  expect(refusal(byOtherKey)).toBe("bad-certificate");
  const underOtherRoot = issueSenderCertificate({ ...request, serverCertificate: serverCertificateWith(7, other) }, random);
  expect(refusal(underOtherRoot)).toBe("bad-certificate");
  const selfMade = { serverCertificate: serverCertificateWith(7, other, other), serverKey: other.privateKey };
  expect(refusal(issueSenderCertificate({ ...request, ...selfMade }, random))).toBe("bad-certificate");
});

test("a revoked server key vouches for nobody, and one is revoked for ever", () => {
  expect(refusal(certificate, { revokedServerKeys: new Set([7]) })).toBe("bad-certificate");
  expect(validateSenderCertificate(certificate, { ...trust, revokedServerKeys: new Set([8]) }).sender.deviceId).toBe(1);
  expect(refusal(issueSenderCertificate({ ...request, serverCertificate: serverCertificateWith(0xdeadc357) }, random))).toBe(
    "bad-certificate",
  );
});

test("a signer that does not come along is not known", () => {
  expect(refusal(forged({ signer: { kind: "known", id: 7 } }))).toBe("bad-certificate");
});

test("the two names for the device are one", () => {
  expect(refusal(forged({ deviceId: second.deviceId }))).toBe("bad-address");
  expect(validateSenderCertificate(forged({}), trust).sender.deviceId).toBe(1);
});

test("the server's word counts only if the account's log says the same", () => {
  const believed = validateSenderCertificate(certificate, trust);
  expect(matchesAccount(believed, owner.account)).toBe(true);
  expect(matchesAccount({ ...believed, identityKey: second.identity.publicKey }, owner.account)).toBe(false);
  const asSecond = { ...device, deviceId: second.deviceId };
  expect(matchesAccount({ ...believed, sender: asSecond }, owner.account)).toBe(false);
  const missing = { ...device, deviceId: parseDeviceId(9) };
  expect(matchesAccount({ ...believed, sender: missing }, owner.account)).toBe(false);
  expect(matchesAccount(believed, new Owner(3).account)).toBe(false);
  const sameKeyElsewhere = { ...device, userId: new Owner(3).userId };
  expect(matchesAccount({ ...believed, sender: sameKeyElsewhere }, owner.account)).toBe(false);
});

test("a device that was revoked matches no longer", () => {
  const other = new Owner(4);
  const gone = other.add();
  const issued = issueSenderCertificate(
    { ...request, device: { userId: other.userId, deviceId: gone.deviceId }, identityKey: gone.identity.publicKey },
    random,
  );
  const believed = validateSenderCertificate(issued, trust);
  expect(matchesAccount(believed, other.account)).toBe(true);
  other.revoke(gone);
  expect(matchesAccount(believed, other.account)).toBe(false);
});

test("a damaged certificate is refused, or says the same", () => {
  const dice = seededDice(1);
  const honest = validateSenderCertificate(certificate, trust);
  for (let i = 0; i < 1000; i++) {
    const damaged = mutate(certificate, dice);
    const verdict = verdictOf(() => validateSenderCertificate(damaged, trust));
    // Protobuf has many encodings of what stands around the signed bytes; Signal's formats allow them.
    if (verdict.kind === "accepted") expect(verdict.value).toEqual(honest);
  }
  for (let i = 0; i < 3000; i++) {
    const noise = Uint8Array.from({ length: dice.roll(200) }, () => dice.roll(256));
    expect(refusal(noise)).toMatch(/^[a-z-]+$/);
  }
});
