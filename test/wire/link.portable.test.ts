// The formats of linking: each comes back as it was, the fullest of each fits a blob, and nothing shorter or longer is taken for one.

import {
  type Bytes,
  decodeLinkAnswer,
  decodeLinkCode,
  decodeLinkDevice,
  decodeLinkOffer,
  decodeLinkRequest,
  decodeLinkReveal,
  encodeLinkAnswer,
  encodeLinkCode,
  encodeLinkDevice,
  encodeLinkOffer,
  encodeLinkRequest,
  encodeLinkReveal,
  type LinkWelcome,
  MAX_LINK_BLOB_BYTES,
  MAX_TRUST_ROOTS,
  parseDeviceId,
  parseRegistrationId,
  parseRendezvousId,
  parseUsername,
  toHex,
  UsageError,
  userIdFromDigest,
} from "#wire";
import { describe, expect, test } from "vitest";
import { codeOf, verdictOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const rendezvousId = parseRendezvousId(toHex(random(32)));
const commitment = random(32);
const head = { length: 4160, hash: random(32) };
const userId = userIdFromDigest(random(32));
const capabilities = { messageVersion: 4, pqRatchet: true, addresses: true, padding: true };
const key = { id: 0xff_ffff, publicKey: random(1569), signature: random(64) };

const welcome: LinkWelcome = {
  kind: "welcome",
  head,
  username: parseUsername("a".repeat(32)),
  profileName: "😀".repeat(64),
  readReceipts: true,
  typing: true,
  presence: true,
  trustRoots: Array.from({ length: MAX_TRUST_ROOTS }, () => random(33)),
};

const device = {
  name: "😀".repeat(64),
  device: { deviceId: parseDeviceId(127), identityKey: random(33), registrationId: parseRegistrationId(0x3fff), capabilities },
  countersignature: random(64),
  preKeys: {
    set: {
      record: { record: random(2048), signature: random(64) },
      signedPreKey: { id: 1, publicKey: random(33), signature: random(64) },
      lastResort: key,
      oneTime: [],
    },
    oneTimePreKeys: [],
  },
};

interface Format {
  readonly name: string;
  readonly value: object;
  readonly bytes: Bytes;
  /** Through the decoder and the encoder again. */
  readonly again: (bytes: Bytes) => Bytes;
  readonly decode: (bytes: Bytes) => object;
}

function format<T extends object>(name: string, value: T, encode: (value: T) => Bytes, decode: (bytes: Bytes) => T): Format {
  return { name, value, bytes: encode(value), again: (bytes) => encode(decode(bytes)), decode };
}

const offer = {
  ephemeralKey: random(33),
  userId,
  signer: parseDeviceId(1),
  head,
  createdSeconds: 1_790_000_000,
  deviceId: parseDeviceId(2),
};
const FORMATS: readonly Format[] = [
  format("code", { rendezvousId, secret: random(16), commitment }, encodeLinkCode, decodeLinkCode),
  format("request", { rendezvousId, commitment }, encodeLinkRequest, decodeLinkRequest),
  format("offer", offer, encodeLinkOffer, decodeLinkOffer),
  format("reveal", { ephemeralKey: random(33), nonce: random(32), sealed: random(8000) }, encodeLinkReveal, decodeLinkReveal),
  format("device", device, encodeLinkDevice, decodeLinkDevice),
  format("refusal", { answer: { kind: "refused" } as const }, encodeLinkAnswer, decodeLinkAnswer),
  format("welcome", { answer: welcome }, encodeLinkAnswer, decodeLinkAnswer),
];

describe.each(FORMATS)("$name", ({ value, bytes, decode, again }) => {
  test("comes back as it was, and fits a blob with what seals it", () => {
    expect(decode(bytes)).toEqual(value);
    expect(bytes.length).toBeLessThan(MAX_LINK_BLOB_BYTES - 512);
  });

  test("has one encoding: whatever is read is written the same", () => {
    const dice = seededDice(1);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const changed = mutate(bytes, dice);
      const verdict = verdictOf(() => again(changed));
      if (verdict.kind === "refused") refused++;
      else expect(verdict.value).toEqual(changed);
    }
    expect(refused).toBeGreaterThan(100);
  });

  test("is refused when it is cut short anywhere, or a byte longer", () => {
    const from = Math.max(0, bytes.length - 300);
    for (let length = from; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      const verdict = verdictOf(() => decode(cut));
      // What is left out at the end may be an optional field.
      if (verdict.kind === "accepted") expect(again(cut)).toEqual(cut);
    }
    expect(codeOf(() => decode(new Uint8Array([...bytes, 0])))).toBe("bad-field");
  });
});

test("a reveal that is longer than a blob is not written, and a longer one is not read", () => {
  const reveal = { ephemeralKey: random(33), nonce: random(32), sealed: random(MAX_LINK_BLOB_BYTES) };
  expect(() => encodeLinkReveal(reveal)).toThrow(UsageError);
  expect(codeOf(() => decodeLinkReveal(random(MAX_LINK_BLOB_BYTES + 1)))).toBe("too-long");
});

test("an answer says one thing", () => {
  const refusal = encodeLinkAnswer({ answer: { kind: "refused" } });
  expect(codeOf(() => decodeLinkAnswer(new Uint8Array()))).toBe("missing-field");
  expect(codeOf(() => decodeLinkAnswer(new Uint8Array([...refusal, ...encodeLinkAnswer({ answer: welcome })])))).toBe("not-canonical");
});
