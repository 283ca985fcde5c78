import { backend, cbcEncrypt, hkdf, hmac, LABELS, useBackend } from "#crypto";
import { decodeSessionRecord, EMPTY_RECORD, encodeSessionRecord, openMessage, type SessionMessage } from "#protocol";
import {
  ascii,
  type Bytes,
  concat,
  decodePreKeySignalMessage,
  decodeSignalMessage,
  EMPTY,
  encodePreKeySignalMessage,
  encodeSignalMessage,
  MAX_FORWARD_JUMP,
  toHex,
} from "#wire";
import { expect, test } from "vitest";
import { accepted, type Device, pair } from "../support/devices.ts";
import { seededRandom } from "../support/random.ts";

const hello = ascii("hello");

function stateOf(device: Device, peer: Device): string {
  return toHex(encodeSessionRecord(device.record(peer)));
}

test("a conversation goes both ways, and stops sending prekey messages once answered", () => {
  const { alice, bob } = pair(1);
  const first = alice.seal(bob, hello);
  expect(first.kind).toBe("prekey");
  expect(alice.seal(bob, hello).kind).toBe("prekey");
  expect(bob.open(alice, first)).toEqual(hello);
  const answer = bob.seal(alice, ascii("hi"));
  expect(answer.kind).toBe("message");
  expect(alice.open(bob, answer)).toEqual(ascii("hi"));
  expect(alice.seal(bob, hello).kind).toBe("message");
});

test("a session begins without a one-time prekey as well", () => {
  const { alice, bob } = pair(2, 0);
  expect(bob.open(alice, alice.seal(bob, hello))).toEqual(hello);
});

test("messages open in any order, and each only once", () => {
  const { alice, bob } = pair(3);
  bob.open(alice, alice.seal(bob, hello));
  const texts = Array.from({ length: 20 }, (_, i) => ascii(`message ${i}`));
  const messages = texts.map((text) => alice.seal(bob, text));
  for (const i of [7, 0, 19, 3, 12, 1, 2, 4, 5, 6, 18, 17, 16, 15, 14, 13, 11, 10, 9, 8]) {
    const message = messages[i];
    if (message === undefined) throw new RangeError("no such message");
    expect(bob.open(alice, message)).toEqual(texts[i]);
    const before = stateOf(bob, alice);
    expect(bob.tryOpen(alice, message)).toEqual({ kind: "refused", code: "duplicate" });
    expect(stateOf(bob, alice)).toBe(before);
  }
});

test("a first message played again opens nothing and begins nothing", () => {
  const { alice, bob } = pair(4, 0);
  const first = alice.seal(bob, hello);
  bob.open(alice, first);
  expect(bob.tryOpen(alice, first)).toEqual({ kind: "refused", code: "duplicate" });
  bob.records.clear();
  expect(bob.tryOpen(alice, first)).toEqual({ kind: "refused", code: "replayed" });
});

test("a first message for a one-time prekey that is gone is refused", () => {
  const { alice, bob } = pair(5);
  const first = alice.seal(bob, hello);
  bob.oneTimePreKeys.clear();
  expect(bob.tryOpen(alice, first)).toEqual({ kind: "refused", code: "no-prekey" });
});

test("prekeys with a signature of someone else begin no session", () => {
  const { alice, bob } = pair(6);
  const bundle = bob.bundle();
  const foreign = alice.bundle();
  expect(() =>
    alice.begin(bob, { ...bundle, signedPreKey: { ...bundle.signedPreKey, signature: foreign.signedPreKey.signature } }),
  ).toThrow("bad-signature");
  expect(() => alice.begin(bob, { ...bundle, kyberPreKey: foreign.kyberPreKey })).toThrow("bad-signature");
  expect(() => alice.begin(bob, { ...bundle, identityKey: foreign.identityKey })).toThrow("bad-signature");
});

test("a KEM key from another bundle leads to other keys: the first message is refused", () => {
  const { alice, bob } = pair(7);
  const first = alice.seal(bob, hello);
  const other = pair(8).bob;
  Object.assign(bob, { kyberPreKey: other.kyberPreKey });
  expect(bob.tryOpen(alice, first)).toEqual({ kind: "refused", code: "bad-tag" });
});

test("a message re-labelled to another sender or another recipient is refused", () => {
  const { alice, bob } = pair(9);
  const eve = pair(10).alice;
  const first = alice.seal(bob, hello);
  Object.assign(eve.local, { identity: alice.local.identity, address: { ...alice.local.address, deviceId: 2 } });
  expect(bob.tryOpen(eve, first)).toEqual({ kind: "refused", code: "bad-address" });
  expect(bob.open(alice, first)).toEqual(hello);
});

test("a first message without addresses is refused where the sender's log announces them", () => {
  const { alice, bob } = pair(18);
  const whole = decodePreKeySignalMessage(alice.seal(bob, hello).bytes);
  const inner = decodeSignalMessage(whole.message);
  const bare = concat(encodeSignalMessage({ ...inner, addresses: undefined }), inner.mac);
  const message = { kind: "prekey", bytes: encodePreKeySignalMessage({ ...whole, message: bare }) } as const;
  const preKeys = {
    signedPreKey: bob.signedPreKey,
    kyberPreKey: bob.kyberPreKey,
    oneTimePreKey: bob.oneTimePreKeys.get(1),
    usedBefore: false,
  };
  const input = { local: bob.local, remote: alice.local.address, remoteIdentity: "any" as const, message, preKeys };
  expect(openMessage(EMPTY_RECORD, { ...input, requireAddresses: true }, bob.random)).toEqual({ kind: "refused", code: "bad-address" });
  // Without the announcement it is the MAC that notices: the addresses are under it.
  expect(openMessage(EMPTY_RECORD, input, bob.random)).toEqual({ kind: "refused", code: "bad-tag" });
});

test("an identity other than the account log's is refused", () => {
  const { alice, bob } = pair(11);
  const first = alice.seal(bob, hello);
  const real = alice.local.identity;
  Object.assign(alice.local, { identity: bob.local.identity });
  expect(bob.tryOpen(alice, first)).toEqual({ kind: "refused", code: "identity-changed" });
  Object.assign(alice.local, { identity: real });
  expect(bob.open(alice, first)).toEqual(hello);
});

test("both sides beginning at once settle on one session", () => {
  const { alice, bob } = pair(12, 3);
  bob.begin(alice);
  const fromAlice = alice.seal(bob, hello);
  const fromBob = bob.seal(alice, ascii("hey"));
  expect(bob.open(alice, fromAlice)).toEqual(hello);
  expect(alice.open(bob, fromBob)).toEqual(ascii("hey"));
  for (let round = 0; round < 4; round++) {
    expect(bob.open(alice, alice.seal(bob, hello))).toEqual(hello);
    expect(alice.open(bob, bob.seal(alice, hello))).toEqual(hello);
  }
  expect(toHex(alice.record(bob).current?.baseKey.raw ?? new Uint8Array(0))).toBe(
    toHex(bob.record(alice).current?.baseKey.raw ?? new Uint8Array(1)),
  );
});

test("a new session replaces a broken one, and what was under way in the old still opens", () => {
  const { alice, bob } = pair(13, 3);
  bob.open(alice, alice.seal(bob, hello));
  alice.open(bob, bob.seal(alice, hello));
  const underWay = bob.seal(alice, ascii("under way"));
  alice.begin(bob);
  expect(bob.open(alice, alice.seal(bob, ascii("anew")))).toEqual(ascii("anew"));
  expect(alice.open(bob, underWay)).toEqual(ascii("under way"));
});

test("an unanswered session is not used for sending after 30 days", () => {
  const { alice, bob } = pair(14);
  alice.nowSeconds += 30 * 24 * 3600;
  expect(alice.seal(bob, hello).kind).toBe("prekey");
  alice.nowSeconds += 1;
  expect(() => alice.seal(bob, hello)).toThrow("stale-session");
});

test("a jump over the limit is refused before any key is derived", () => {
  const { alice, bob } = pair(15);
  bob.open(alice, alice.seal(bob, hello));
  for (let i = 0; i < MAX_FORWARD_JUMP + 2; i += 1000) skip(alice, bob, Math.min(1000, MAX_FORWARD_JUMP + 2 - i));
  const before = stateOf(bob, alice);
  expect(bob.tryOpen(alice, alice.seal(bob, hello))).toEqual({ kind: "refused", code: "too-far-ahead" });
  expect(stateOf(bob, alice)).toBe(before);
});

test("what is stored behaves as what was in memory", () => {
  const { alice, bob } = pair(16);
  for (let i = 0; i < 60; i++) {
    const [from, to] = i % 5 < 3 ? [alice, bob] : [bob, alice];
    const text = ascii(`message ${i}`);
    const message = from.seal(to, text);
    if (i % 7 === 3 && i > 10) continue;
    expect(to.open(from, message)).toEqual(text);
    for (const [device, peer] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const bytes = encodeSessionRecord(device.record(peer));
      const read = decodeSessionRecord(bytes);
      expect(toHex(encodeSessionRecord(read))).toBe(toHex(bytes));
      device.records.set(`${peer.local.address.userId}.${peer.local.address.deviceId}`, read);
    }
  }
});

test("a transition leaves the state it was given as it was", () => {
  const { alice, bob } = pair(17);
  const first = alice.seal(bob, hello);
  const before = stateOf(bob, alice);
  accepted(bob.tryOpen(alice, first));
  expect(stateOf(bob, alice)).toBe(before);
  expect(bob.open(alice, first)).toEqual(hello);
});

/** Seals `count` messages that nobody will see. */
function skip(from: Device, to: Device, count: number): void {
  const text: Bytes = new Uint8Array(1);
  for (let i = 0; i < count; i++) from.seal(to, text);
}

test("once a message with a post-quantum key came, none without one is taken: neither an early one nor a later version", () => {
  const { alice, bob } = pair(19);
  bob.open(alice, alice.seal(bob, hello));
  alice.open(bob, bob.seal(alice, hello));
  for (const pqRatchet of [Uint8Array.of(1, 1, 0, 0), Uint8Array.of(2), Uint8Array.of(2, 1, 1, 0)]) {
    const forged = withoutPostQuantumKey(alice, bob, pqRatchet);
    expect(bob.tryOpen(alice, forged)).toEqual({ kind: "refused", code: "bad-state" });
  }
  expect(bob.open(alice, alice.seal(bob, hello))).toEqual(hello);
});

test("a message that asks every archived session for a long jump is given up within the budget", () => {
  const { alice, bob } = pair(20, 60);
  for (let i = 0; i < 20; i++) {
    bob.open(alice, alice.seal(bob, hello));
    alice.begin(bob);
  }
  bob.open(alice, alice.seal(bob, hello));
  const honest = decodeSignalMessage(alice.open(bob, bob.seal(alice, hello)) && alice.seal(bob, hello).bytes);
  const ratchetKey = concat(
    Uint8Array.of(5),
    seededRandom(3)(32).map((byte, at) => (at === 31 ? byte & 0x7f : byte)),
  );
  // Epoch 1, index 25,000 and no payload: costly for each session that tries it, and a forgery for all of them.
  const pqRatchet = Uint8Array.of(1, 1, 0xa8, 0xc3, 1, 0);
  const forged = concat(encodeSignalMessage({ ...honest, ratchetKey, counter: 0, pqRatchet, addresses: undefined }), honest.mac);
  const made = countHkdf(() => bob.tryOpen(alice, { kind: "message", bytes: forged }));
  expect(made).toBeLessThan(2.2 * MAX_FORWARD_JUMP);
});

/** What somebody could send who broke the classical ratchet of the two, and only that: the keys without their salt. */
function withoutPostQuantumKey(from: Device, to: Device, pqRatchet: Bytes): SessionMessage {
  const session = from.record(to).current;
  if (session === undefined) throw new RangeError("a session was begun");
  const { ratchet, chain } = session.ratchet.sending;
  const seed = hmac(chain.key.expose(), Uint8Array.of(1));
  const keys = hkdf({ salt: EMPTY, inputKey: seed, info: LABELS.MESSAGE_KEYS_INFO, length: 80 });
  const authenticated = encodeSignalMessage({
    ratchetKey: ratchet.publicKey.encode(),
    counter: chain.index,
    previousCounter: 0,
    ciphertext: cbcEncrypt(keys.slice(0, 32), keys.slice(64), hello),
    pqRatchet,
    addresses: undefined,
  });
  const identities = concat(session.localIdentity.encode(), session.remoteIdentity.encode(), authenticated);
  return { kind: "message", bytes: concat(authenticated, hmac(keys.slice(32, 64), identities).slice(0, 8)) };
}

/** How many HKDFs the work takes, counted by a backend that counts. */
function countHkdf(work: () => unknown): number {
  let count = 0;
  const before = backend();
  useBackend({
    ...before,
    hkdfSha256(salt, inputKey, info, length) {
      count++;
      return before.hkdfSha256(salt, inputKey, info, length);
    },
  });
  try {
    work();
  } finally {
    useBackend(before);
  }
  return count;
}
