import { generateKeyPair } from "#crypto";
import { issueSenderCertificate, issueServerCertificate } from "#identity";
import { openSealed, sealForMany, sealForOne, type SealForOne } from "#protocol";
import { ascii, type Bytes, PADDING_BUCKETS, receivedMessage, splitMultiRecipient } from "#wire";
import { expect, test } from "vitest";
import { addressOf, Device } from "../support/devices.ts";
import { seededRandom } from "../support/random.ts";

const NOW = 1_790_000_000_000;
const random = seededRandom(1);
const root = generateKeyPair(random);
const server = generateKeyPair(random);
const serverCertificate = issueServerCertificate({ id: 1, serverKey: server.publicKey, trustRoot: root.privateKey }, random);
const alice = new Device(addressOf(1), seededRandom(2));
const bob = new Device(addressOf(2), seededRandom(3));
const trust = { trustRoots: [root.publicKey], nowMilliseconds: NOW };

function certificate(device: Device, expiresMilliseconds = NOW + 1000): Bytes {
  const { address, identity } = device.local;
  return issueSenderCertificate(
    { device: address, identityKey: identity.publicKey, expiresMilliseconds, serverCertificate, serverKey: server.privateKey },
    random,
  );
}

function content(change: Partial<SealForOne> = {}): SealForOne {
  return {
    sender: alice.local.identity,
    senderCertificate: certificate(alice),
    kind: "message",
    content: ascii("a message"),
    contentHint: 1,
    groupId: ascii("group"),
    recipient: bob.local.identity.publicKey,
    ...change,
  };
}

function recipients(count: number): Device[] {
  return Array.from({ length: count }, (_, i) => new Device(addressOf(100 + i), seededRandom(100 + i), 0));
}

test("version 1 tells the recipient, and nobody else, who sent what", () => {
  const bytes = sealForOne(content(), random);
  expect(openSealed({ ...trust, identity: bob.local.identity, bytes })).toMatchObject({
    kind: "opened",
    sender: alice.local.address,
    contentKind: "message",
    content: ascii("a message"),
    contentHint: 1,
    groupId: ascii("group"),
  });
  expect(openSealed({ ...trust, identity: alice.local.identity, bytes })).toEqual({ kind: "refused", code: "bad-tag" });
});

test("version 2 is encrypted once and opened by each of its recipients, and by no one else", () => {
  const devices = recipients(7);
  const list = devices.map(({ local }) => ({
    address: local.address,
    registrationId: local.registrationId,
    identityKey: local.identity.publicKey,
  }));
  const sent = splitMultiRecipient(sealForMany({ ...content(), recipients: list }, random));
  expect(sent.recipients).toHaveLength(7);
  sent.recipients.forEach((recipient, i) => {
    const bytes = receivedMessage(sent, recipient);
    const identity = devices[i]?.local.identity ?? bob.local.identity;
    expect(openSealed({ ...trust, identity, bytes })).toMatchObject({
      kind: "opened",
      sender: alice.local.address,
      content: ascii("a message"),
    });
    expect(openSealed({ ...trust, identity: bob.local.identity, bytes })).toEqual({ kind: "refused", code: "bad-tag" });
  });
});

test("a changed byte anywhere is refused, in both versions", () => {
  const [device] = recipients(1);
  if (device === undefined) throw new RangeError("one recipient");
  const { address, registrationId, identity } = device.local;
  const one = sealForOne(content({ recipient: identity.publicKey }), random);
  const many = splitMultiRecipient(
    sealForMany({ ...content(), recipients: [{ address, registrationId, identityKey: identity.publicKey }] }, random),
  );
  const [recipient] = many.recipients;
  if (recipient === undefined) throw new RangeError("one recipient");
  for (const bytes of [one, receivedMessage(many, recipient)]) {
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(openSealed({ ...trust, identity, bytes: changed }).kind).toBe("refused");
    }
  }
});

test("a certificate that is expired, of another root, of another key or for another sender is refused", () => {
  const open = (change: Partial<SealForOne>, nowMilliseconds = NOW, trustRoots = trust.trustRoots): unknown =>
    openSealed({ identity: bob.local.identity, bytes: sealForOne(content(change), random), nowMilliseconds, trustRoots });
  expect(open({}, NOW + 1000)).toMatchObject({ kind: "opened" });
  expect(open({}, NOW + 1001)).toEqual({ kind: "refused", code: "expired" });
  expect(open({}, NOW, [server.publicKey])).toEqual({ kind: "refused", code: "bad-certificate" });
  expect(open({}, NOW, [])).toEqual({ kind: "refused", code: "bad-certificate" });
  expect(open({ senderCertificate: certificate(bob) })).toEqual({ kind: "refused", code: "bad-certificate" });
  const altered = certificate(alice);
  altered[20] = (altered[20] ?? 0) ^ 1;
  expect(open({ senderCertificate: altered })).toMatchObject({ kind: "refused" });
});

test("a device refuses what it sealed itself", () => {
  const bytes = sealForOne(content({ recipient: alice.local.identity.publicKey }), random);
  expect(openSealed({ ...trust, identity: alice.local.identity, bytes })).toEqual({ kind: "refused", code: "self-send" });
});

test("what reaches the wire has one of six sizes, whatever is inside", () => {
  const sizes = new Set<number>();
  for (let length = 0; length < 65_000; length = Math.ceil(length * 1.3) + 7) {
    sizes.add(sealForOne(content({ content: new Uint8Array(length), groupId: undefined }), random).length);
  }
  expect(sizes.size).toBeLessThanOrEqual(PADDING_BUCKETS.length);
  expect(sizes.size).toBeGreaterThan(3);
});

test("a content that fits no bucket is refused", () => {
  expect(() => sealForOne(content({ content: new Uint8Array(65_536) }), random)).toThrow("over-limit");
});
