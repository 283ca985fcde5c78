// More than 100,000 damaged messages of every kind: each is refused with a code and leaves the state as it was, and
// the next honest message opens. The few bytes of a prekey message that the wire does not authenticate (the sender's
// registration id) or around any protobuf (unknown fields) may change without harm: then the very same text comes out.

import { generateKeyPair, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { issueSenderCertificate, issueServerCertificate } from "#identity";
import {
  acceptReport,
  compareScanned,
  createSenderKey,
  encodeSenderKeyRecord,
  encodeSessionRecord,
  fingerprint,
  learnSenderKey,
  NO_SENDER_KEY,
  openFromGroup,
  openSealed,
  reportUnopened,
  sealForGroup,
  sealForMany,
  sealForOne,
} from "#protocol";
import { ascii, type Bytes, parseDistributionId, receivedMessage, splitMultiRecipient, toHex, WireError } from "#wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted, addressOf, Device, NOW_SECONDS, pair } from "../support/devices.ts";
import { mutate } from "../support/mutate.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const before = { backend: useBackend(nodeBackend) };
beforeAll(() => {
  useBackend(nodeBackend);
});
afterAll(() => {
  useBackend(before.backend);
});

const text = ascii("an honest message");

function stateOf(device: Device, peer: Device): string {
  return toHex(encodeSessionRecord(device.record(peer)));
}

test("50,000 damaged session messages are refused, and the session goes on", () => {
  const dice = seededDice(1);
  for (let conversation = 0; conversation < 50; conversation++) {
    const { alice, bob } = pair(conversation);
    bob.open(alice, alice.seal(bob, text));
    alice.open(bob, bob.seal(alice, text));
    for (let i = 0; i < conversation; i++) alice.open(bob, bob.seal(alice, text));
    const honest = alice.seal(bob, text);
    const state = stateOf(bob, alice);
    for (let i = 0; i < 1000; i++) {
      const outcome = bob.tryOpen(alice, { kind: "message", bytes: mutate(honest.bytes, dice) });
      expect(outcome.kind).toBe("refused");
    }
    expect(stateOf(bob, alice)).toBe(state);
    expect(bob.open(alice, honest)).toEqual(text);
  }
});

test("30,000 damaged first messages begin nothing, or say the very same", () => {
  const dice = seededDice(2);
  let opened = 0;
  for (let conversation = 0; conversation < 30; conversation++) {
    const { alice, bob } = pair(conversation, conversation % 2);
    const honest = alice.seal(bob, text);
    const state = stateOf(bob, alice);
    for (let i = 0; i < 1000; i++) {
      const outcome = bob.tryOpen(alice, { kind: "prekey", bytes: mutate(honest.bytes, dice) });
      if (outcome.kind === "refused") continue;
      opened++;
      expect(outcome.output.plaintext).toEqual(text);
      expect(outcome.output.remoteIdentity.equals(alice.local.identity.publicKey)).toBe(true);
    }
    expect(stateOf(bob, alice)).toBe(state);
    expect(bob.open(alice, honest)).toEqual(text);
  }
  expect(opened).toBeLessThan(3000);
});

test("20,000 damaged group messages are refused, and the chain goes on", () => {
  const dice = seededDice(3);
  const id = parseDistributionId("00000000-0000-4000-8000-000000000001");
  const created = accepted(createSenderKey(NO_SENDER_KEY, id, seededRandom(1)));
  let sender = created.state;
  let receiver = accepted(learnSenderKey(NO_SENDER_KEY, created.output)).state;
  for (let round = 0; round < 20; round++) {
    const sealed = accepted(sealForGroup(sender, id, text));
    sender = sealed.state;
    const state = toHex(encodeSenderKeyRecord(receiver));
    for (let i = 0; i < 1000; i++) expect(openFromGroup(receiver, mutate(sealed.output, dice)).kind).toBe("refused");
    expect(toHex(encodeSenderKeyRecord(receiver))).toBe(state);
    const opened = accepted(openFromGroup(receiver, sealed.output));
    expect(opened.output).toEqual(text);
    receiver = opened.state;
  }
});

test("20,000 damaged sealed messages are refused, or open to the very same content", () => {
  const dice = seededDice(4);
  const random = seededRandom(4);
  const [root, server] = [generateKeyPair(random), generateKeyPair(random)];
  const [alice, bob] = [new Device(addressOf(1), random), new Device(addressOf(2), random)];
  const serverCertificate = issueServerCertificate({ id: 1, serverKey: server.publicKey, trustRoot: root.privateKey }, random);
  const request = {
    device: alice.local.address,
    identityKey: alice.local.identity.publicKey,
    serverCertificate,
    serverKey: server.privateKey,
  };
  const nowMilliseconds = NOW_SECONDS * 1000;
  const senderCertificate = issueSenderCertificate({ ...request, expiresMilliseconds: nowMilliseconds + 1 }, random);
  const content = {
    sender: alice.local.identity,
    senderCertificate,
    kind: "message",
    content: text,
    contentHint: 0,
    groupId: undefined,
  } as const;
  const { address, registrationId, identity } = bob.local;
  const one = sealForOne({ ...content, recipient: identity.publicKey }, random);
  const many = splitMultiRecipient(
    sealForMany({ ...content, recipients: [{ address, registrationId, identityKey: identity.publicKey }] }, random),
  );
  const [recipient] = many.recipients;
  if (recipient === undefined) throw new RangeError("one recipient was sealed for");
  for (const bytes of [one, receivedMessage(many, recipient)]) {
    const input = { identity, trustRoots: [root.publicKey], nowMilliseconds };
    const honest = openSealed({ ...input, bytes });
    expect(honest).toMatchObject({ kind: "opened", content: text });
    for (let i = 0; i < 10_000; i++) {
      const outcome = openSealed({ ...input, bytes: mutate(bytes, dice) });
      if (outcome.kind === "opened" && bytes === one) expect(outcome).toEqual(honest);
      else expect(outcome.kind).toBe("refused");
    }
  }
});

test("damaged distribution messages, error reports and fingerprints give codes and nothing else", () => {
  const dice = seededDice(5);
  const id = parseDistributionId("00000000-0000-4000-8000-000000000001");
  const { alice, bob } = pair(5);
  const first = alice.seal(bob, text);
  const distribution = accepted(createSenderKey(NO_SENDER_KEY, id, seededRandom(5))).output;
  const report = reportUnopened({ ...first, sentAtMilliseconds: 1, senderDeviceId: alice.local.address.deviceId });
  const party = (device: Device, name: string): { identifier: Bytes; identityKey: typeof device.local.identity.publicKey } => ({
    identifier: ascii(name),
    identityKey: device.local.identity.publicKey,
  });
  const own = fingerprint(party(alice, "alice"), party(bob, "bob"));
  const theirs = fingerprint(party(bob, "bob"), party(alice, "alice"));
  expect(compareScanned(own, theirs.scannable)).toBe("match");
  for (let i = 0; i < 5000; i++) {
    expect(["done", "refused"]).toContain(learnSenderKey(NO_SENDER_KEY, mutate(distribution, dice)).kind);
    expect(["done", "refused"]).toContain(acceptReport(alice.record(bob), mutate(report, dice), alice.local.address.deviceId).kind);
    expect(scan(() => compareScanned(own, mutate(theirs.scannable, dice)))).toMatch(/match|refused/);
  }
});

/** The answer, or that it was refused with a code; any other exception fails the test. */
function scan(compare: () => string): string {
  try {
    return compare();
  } catch (error) {
    if (error instanceof WireError) return "refused";
    throw error;
  }
}
