import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Bytes,
  concat,
  decodeDecryptionErrorMessage,
  decodePlaintextContent,
  decodePreKeySignalMessage,
  decodeScannableFingerprint,
  decodeSealedContent,
  decodeSealedMessage,
  decodeSenderCertificate,
  decodeSenderKeyDistributionMessage,
  decodeSenderKeyMessage,
  decodeServerCertificate,
  decodeSignalMessage,
  encodeAddresses,
  encodeDecryptionErrorMessage,
  encodePlaintextContent,
  encodePreKeySignalMessage,
  encodeScannableFingerprint,
  encodeSealedContent,
  encodeSealedV1,
  encodeSealedV2,
  encodeSenderCertificateFields,
  encodeSenderKeyDistributionMessage,
  encodeSenderKeyMessage,
  encodeServerCertificateFields,
  encodeSignalMessage,
  encodeSigned,
  EMPTY,
  fromHex,
  padSealedContent,
  SEALED_PADDING_OVERHEAD,
  toHex,
  toUtf8,
  UsageError,
  uuidToBytes,
} from "#wire";
import * as pb from "../../wire/gen/signal_pb.js";
import {
  bytesOf,
  decryptionError,
  deviceAddress,
  outcome,
  preKeySignalMessage,
  scannable,
  sealedContent,
  sealedV1,
  senderCertificate,
  senderKeyDistribution,
  senderKeyMessage,
  serverCertificate,
  signalMessage,
} from "../support/wire.ts";

const RUNS = { seed: 21, numRuns: 150 };
const MAC = fromHex("0102030405060708");
const SIGNATURE = new Uint8Array(64).fill(7);

/** Generated messages have no property for an absent field. */
function set<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Only undefined values are left out, which is what the type says.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

describe("what is encoded decodes to the same fields, and is what the generated code writes", () => {
  test("SignalMessage", () => {
    fc.assert(
      fc.property(signalMessage, (fields) => {
        const authenticated = encodeSignalMessage(fields);
        expect(toHex(authenticated)).toBe(`44${toHex(toBinary(pb.SignalMessageSchema, create(pb.SignalMessageSchema, set(fields))))}`);
        expect(decodeSignalMessage(concat(authenticated, MAC))).toEqual({ ...fields, version: 4, mac: MAC, authenticated });
      }),
      RUNS,
    );
  });

  test("PreKeySignalMessage", () => {
    fc.assert(
      fc.property(preKeySignalMessage, (fields) => {
        const bytes = encodePreKeySignalMessage(fields);
        const twin = create(pb.PreKeySignalMessageSchema, set(fields));
        expect(toHex(bytes)).toBe(`44${toHex(toBinary(pb.PreKeySignalMessageSchema, twin))}`);
        expect(decodePreKeySignalMessage(bytes)).toEqual({ ...fields, version: 4 });
      }),
      RUNS,
    );
  });

  test("SenderKeyMessage", () => {
    fc.assert(
      fc.property(senderKeyMessage, (fields) => {
        const signed = encodeSenderKeyMessage(fields);
        const twin = create(pb.SenderKeyMessageSchema, { ...fields, distributionUuid: uuidToBytes(fields.distributionId) });
        expect(toHex(signed)).toBe(`33${toHex(toBinary(pb.SenderKeyMessageSchema, twin))}`);
        const decoded = decodeSenderKeyMessage(concat(signed, SIGNATURE));
        expect(decoded).toEqual({ ...fields, version: 3, signed, signature: SIGNATURE });
      }),
      RUNS,
    );
  });

  test("SenderKeyDistributionMessage", () => {
    fc.assert(
      fc.property(senderKeyDistribution, (fields) => {
        const bytes = encodeSenderKeyDistributionMessage(fields);
        const twin = create(pb.SenderKeyDistributionMessageSchema, { ...fields, distributionUuid: uuidToBytes(fields.distributionId) });
        expect(toHex(bytes)).toBe(`33${toHex(toBinary(pb.SenderKeyDistributionMessageSchema, twin))}`);
        expect(decodeSenderKeyDistributionMessage(bytes)).toEqual({ ...fields, version: 3 });
      }),
      RUNS,
    );
  });

  test("DecryptionErrorMessage, bare and as a PlaintextContent", () => {
    fc.assert(
      fc.property(decryptionError, (fields) => {
        const bytes = encodeDecryptionErrorMessage(fields);
        const twin = create(pb.DecryptionErrorMessageSchema, set({ ...fields, timestamp: BigInt(fields.timestamp) }));
        expect(toHex(bytes)).toBe(toHex(toBinary(pb.DecryptionErrorMessageSchema, twin)));
        expect(decodeDecryptionErrorMessage(bytes)).toEqual(fields);
        const plaintext = encodePlaintextContent(bytes);
        const content = create(pb.PlaintextContentSchema, { decryptionErrorMessage: bytes });
        expect(toHex(plaintext)).toBe(`c0${toHex(toBinary(pb.PlaintextContentSchema, content))}80`);
        expect(toHex(decodePlaintextContent(plaintext))).toBe(toHex(bytes));
      }),
      RUNS,
    );
  });

  test("ServerCertificate", () => {
    fc.assert(
      fc.property(serverCertificate, (fields) => {
        const certificate = encodeServerCertificateFields(fields);
        const twin = create(pb.ServerCertificate_CertificateSchema, fields);
        expect(toHex(certificate)).toBe(toHex(toBinary(pb.ServerCertificate_CertificateSchema, twin)));
        const whole = encodeSigned({ certificate, signature: SIGNATURE });
        const outer = create(pb.ServerCertificateSchema, { certificate, signature: SIGNATURE });
        expect(toHex(whole)).toBe(toHex(toBinary(pb.ServerCertificateSchema, outer)));
        expect(decodeServerCertificate(whole)).toEqual({ ...fields, certificate, signature: SIGNATURE });
      }),
      RUNS,
    );
  });

  test("SenderCertificate, with the sender as text (which we write) and as bytes (which we also read)", () => {
    fc.assert(
      fc.property(senderCertificate, (fields) => {
        const { sender, deviceId, expires, identityKey, signer } = fields;
        const common = {
          senderDevice: deviceId,
          expires: BigInt(expires),
          identityKey,
          signer:
            signer.kind === "embedded"
              ? ({ case: "signerCertificate", value: signer.certificate } as const)
              : ({ case: "signerId", value: signer.id } as const),
        };
        const asText = create(pb.SenderCertificate_CertificateSchema, { ...common, sender: { case: "senderUuidText", value: sender } });
        const certificate = encodeSenderCertificateFields(fields);
        expect(toHex(certificate)).toBe(toHex(toBinary(pb.SenderCertificate_CertificateSchema, asText)));
        const decoded = decodeSenderCertificate(encodeSigned({ certificate, signature: SIGNATURE }));
        expect(decoded).toEqual({ ...fields, certificate, signature: SIGNATURE });

        const asBytes = create(pb.SenderCertificate_CertificateSchema, {
          ...common,
          senderE164: "+14155550100",
          sender: { case: "senderUuid", value: uuidToBytes(sender) },
        });
        const other = toBinary(pb.SenderCertificate_CertificateSchema, asBytes);
        const decodedOther = decodeSenderCertificate(encodeSigned({ certificate: other, signature: SIGNATURE }));
        expect(decodedOther).toEqual({ ...fields, certificate: other, signature: SIGNATURE });
      }),
      RUNS,
    );
  });

  test("sealed content, padded to any size and still the same content", () => {
    const numbers = { prekey: 1, message: 2, "sender-key": 7, plaintext: 8 };
    fc.assert(
      fc.property(sealedContent, fc.nat(20_000), (fields, zeros) => {
        const bytes = encodeSealedContent(fields);
        const { kind, contentHint, ...rest } = fields;
        const hint = contentHint === 0 ? {} : { contentHint };
        const twin = create(pb.UnidentifiedSenderMessage_MessageSchema, set({ ...rest, ...hint, type: numbers[kind] }));
        expect(toHex(bytes)).toBe(toHex(toBinary(pb.UnidentifiedSenderMessage_MessageSchema, twin)));
        expect(decodeSealedContent(bytes)).toEqual(fields);

        const length = bytes.length + SEALED_PADDING_OVERHEAD + zeros;
        const padded = padSealedContent(bytes, length);
        expect(padded.length).toBe(length);
        expect(decodeSealedContent(padded)).toEqual(fields);
        expect(fromBinary(pb.UnidentifiedSenderMessage_MessageSchema, padded).padding.length).toBe(zeros);
      }),
      RUNS,
    );
  });

  test("sealed messages of both versions", () => {
    fc.assert(
      fc.property(sealedV1, bytesOf(32), bytesOf(16), bytesOf(48, 90), (fields, maskedKey, senderTag, tail) => {
        const v1 = encodeSealedV1(fields);
        const twin = create(pb.UnidentifiedSenderMessageSchema, fields);
        expect(toHex(v1)).toBe(`11${toHex(toBinary(pb.UnidentifiedSenderMessageSchema, twin))}`);
        expect(decodeSealedMessage(v1)).toEqual({ kind: "v1", ...fields });

        const v2 = encodeSealedV2(maskedKey, senderTag, tail);
        expect(toHex(v2)).toBe(`22${toHex(concat(maskedKey, senderTag, tail))}`);
        const [ephemeralPublic, ciphertext] = [tail.slice(0, 32), tail.slice(32)];
        expect(decodeSealedMessage(v2)).toEqual({ kind: "v2", maskedKey, senderTag, ephemeralPublic, ciphertext });
      }),
      RUNS,
    );
  });

  test("ScannableFingerprint", () => {
    fc.assert(
      fc.property(scannable, (fields) => {
        const bytes = encodeScannableFingerprint(fields);
        const [local, remote] = [{ content: fields.local }, { content: fields.remote }];
        const twin = create(pb.ScannableFingerprintSchema, { version: fields.version, local, remote });
        expect(toHex(bytes)).toBe(toHex(toBinary(pb.ScannableFingerprintSchema, twin)));
        expect(decodeScannableFingerprint(bytes)).toEqual(fields);
      }),
      RUNS,
    );
  });
});

test("addresses are two fixed-width ServiceIds, each with its device beside it", () => {
  fc.assert(
    fc.property(deviceAddress, deviceAddress, (sender, recipient) => {
      const hex = toHex(encodeAddresses(sender, recipient));
      const part = (user: string, device: number): string => {
        const id = device.toString(16).padStart(2, "0");
        return `00${user.replaceAll("-", "").slice(0, 30)}${id}${id}`;
      };
      expect(hex).toBe(part(sender.userId, sender.deviceId) + part(recipient.userId, recipient.deviceId));
    }),
    RUNS,
  );
});

test("padding is refused where it cannot fit", () => {
  const content = new Uint8Array(100);
  expect(() => padSealedContent(content, 100 + SEALED_PADDING_OVERHEAD - 1)).toThrow(UsageError);
  expect(padSealedContent(content, 100 + SEALED_PADDING_OVERHEAD).length).toBe(100 + SEALED_PADDING_OVERHEAD);
});

// A SignalMessage by hand: version ‖ fields ‖ MAC.
const KEY_FIELD = `0a21${"05".repeat(33)}`;
const signal = (fields: string, version = "44"): Bytes => fromHex(`${version}${fields}${toHex(MAC)}`);

test("a SignalMessage written by hand decodes, and encodes to the same bytes", () => {
  const golden = signal(`${KEY_FIELD}10ac0218032202aabb2a01cc`);
  const decoded = decodeSignalMessage(golden);
  expect(decoded).toMatchObject({ counter: 300, previousCounter: 3, ciphertext: fromHex("aabb"), pqRatchet: fromHex("cc") });
  expect(toHex(encodeSignalMessage(decoded))).toBe(toHex(golden.subarray(0, -8)));
});

test.each([
  ["an absent previous counter is 0", `${KEY_FIELD}10002200`, { counter: 0, previousCounter: 0, ciphertext: new Uint8Array(0) }],
  ["the last value of a field wins", `${KEY_FIELD}10011002220022020102`, { counter: 2, ciphertext: fromHex("0102") }],
  ["fields come in any order", `2201cc1001${KEY_FIELD}`, { counter: 1, ciphertext: fromHex("cc") }],
  ["unknown fields of every kind are skipped", `${KEY_FIELD}1001220038017901020304050607083d010203044a0212344b08014c`, { counter: 1 }],
  ["a counter keeps the low 32 bits of its varint", `${KEY_FIELD}10ffffffffffffffffff012200`, { counter: 0xffff_ffff }],
  ["a varint need not be minimal", `${KEY_FIELD}108180002200`, { counter: 1 }],
  ["an empty pq_ratchet is none", `${KEY_FIELD}100122002a00`, { pqRatchet: undefined }],
])("as the official parser has it, %s", (_, fields, expected) => {
  expect(decodeSignalMessage(signal(fields))).toMatchObject(expected);
});

test.each([
  ["nothing", "", "truncated"],
  ["a version byte alone", "44", "truncated"],
  ["a version byte and a MAC", `44${toHex(MAC)}`, "missing-field"],
  ["version 3", toHex(signal(`${KEY_FIELD}10012200`, "34")), "legacy-version"],
  ["version 5", toHex(signal(`${KEY_FIELD}10012200`, "54")), "unknown-version"],
  ["no ratchet key", toHex(signal("10012200")), "missing-field"],
  ["no counter", toHex(signal(`${KEY_FIELD}2200`)), "missing-field"],
  ["no ciphertext", toHex(signal(`${KEY_FIELD}1001`)), "missing-field"],
  ["a ratchet key of 32 bytes", toHex(signal(`0a20${"05".repeat(32)}10012200`)), "bad-length"],
  ["a ratchet key of 34 bytes", toHex(signal(`0a22${"05".repeat(34)}10012200`)), "bad-length"],
  ["addresses of 35 bytes", toHex(signal(`${KEY_FIELD}100122003223${"00".repeat(35)}`)), "bad-length"],
  ["a counter as bytes", toHex(signal(`${KEY_FIELD}1201012200`)), "bad-field"],
  ["a counter as fixed32", toHex(signal(`${KEY_FIELD}15010000002200`)), "bad-field"],
  ["a ciphertext as varint", toHex(signal(`${KEY_FIELD}10012001`)), "bad-field"],
  ["field number 0", toHex(signal(`${KEY_FIELD}100122000001`)), "bad-field"],
  ["wire type 6", toHex(signal(`${KEY_FIELD}100122004601`)), "bad-field"],
  ["a tag above 32 bits", toHex(signal(`${KEY_FIELD}10012200f8ffffffff0100`)), "bad-field"],
  ["a length beyond the end", toHex(signal(`${KEY_FIELD}10012201`)), "truncated"],
  ["a length beyond 32 bits", toHex(signal(`${KEY_FIELD}100122ffffffffffff7f`)), "truncated"],
  ["a varint of eleven bytes", toHex(signal(`${KEY_FIELD}10ffffffffffffffffffff012200`)), "bad-value"],
  ["a varint above 64 bits", toHex(signal(`${KEY_FIELD}10ffffffffffffffffff022200`)), "bad-value"],
  ["a varint that never ends", toHex(signal(`${KEY_FIELD}220010ff`)), "truncated"],
  ["a group that never ends", toHex(signal(`${KEY_FIELD}100122004b0801`)), "truncated"],
  ["a group that ends as another", toHex(signal(`${KEY_FIELD}100122004b54`)), "bad-field"],
  ["the end of a group that never began", toHex(signal(`${KEY_FIELD}100122004c`)), "bad-field"],
  ["groups nested a thousand deep", toHex(signal(`${KEY_FIELD}10012200${"4b".repeat(1000)}${"4c".repeat(1000)}`)), "bad-field"],
])("a SignalMessage with %s is refused", (_, hex, code) => {
  expect(outcome(() => decodeSignalMessage(fromHex(hex)))).toBe(code);
});

test("groups nested a hundred deep are still skipped", () => {
  const nested = signal(`${KEY_FIELD}10012200${"4b".repeat(100)}${"4c".repeat(100)}`);
  expect(outcome(() => decodeSignalMessage(nested))).toBe("accepted");
});

describe("what one field can get wrong", () => {
  const [preKey] = fc.sample(preKeySignalMessage, { seed: 5, numRuns: 1 });
  if (preKey === undefined) throw new Error("no sample");

  test.each([
    ["a base key of 32 bytes", { ...preKey, baseKey: preKey.baseKey.slice(1) }, "bad-length"],
    ["an identity key of 34 bytes", { ...preKey, identityKey: concat(preKey.identityKey, MAC.subarray(0, 1)) }, "bad-length"],
    ["a Kyber ciphertext without its type byte", { ...preKey, kyberCiphertext: preKey.kyberCiphertext.slice(1) }, "bad-length"],
  ])("a PreKeySignalMessage with %s is refused", (_, fields, code) => {
    expect(outcome(() => decodePreKeySignalMessage(encodePreKeySignalMessage(fields)))).toBe(code);
  });

  test.each(["baseKey", "identityKey", "message", "signedPreKeyId", "kyberPreKeyId", "kyberCiphertext"] as const)(
    "a PreKeySignalMessage without its %s is refused",
    (field) => {
      const twin = create(pb.PreKeySignalMessageSchema, set(preKey));
      Reflect.deleteProperty(twin, field);
      const bytes = concat(fromHex("44"), toBinary(pb.PreKeySignalMessageSchema, twin));
      expect(outcome(() => decodePreKeySignalMessage(bytes))).toBe("missing-field");
    },
  );

  test("a registration id of 15 bits is refused", () => {
    const twin = create(pb.PreKeySignalMessageSchema, { ...set(preKey), registrationId: 0x4000 });
    const bytes = concat(fromHex("44"), toBinary(pb.PreKeySignalMessageSchema, twin));
    expect(outcome(() => decodePreKeySignalMessage(bytes))).toBe("bad-id");
  });

  test("a sealed content of an unknown type is refused, an unknown hint is not", () => {
    expect(outcome(() => decodeSealedContent(fromHex("080312001a00")))).toBe("bad-value");
    expect(decodeSealedContent(fromHex("080212001a002063")).contentHint).toBe(99);
    expect(outcome(() => decodeSealedContent(fromHex("12001a00")))).toBe("missing-field");
  });

  test("a sealed message of version 2 needs room for its tag, and one of another version is refused", () => {
    const whole = encodeSealedV2(new Uint8Array(32), new Uint8Array(16), new Uint8Array(48));
    expect(outcome(() => decodeSealedMessage(whole))).toBe("accepted");
    expect(outcome(() => decodeSealedMessage(whole.subarray(0, -1)))).toBe("truncated");
    for (const version of [0x00, 0x10, 0x12, 0x21, 0x23, 0x33, 0xff]) {
      const other = whole.slice();
      other[0] = version;
      expect(outcome(() => decodeSealedMessage(other))).toBe("unknown-version");
    }
  });

  test("a PlaintextContent ends in its boundary, with or without zeros behind it", () => {
    expect(toHex(decodePlaintextContent(fromHex("c04202aabb80")))).toBe("aabb");
    expect(toHex(decodePlaintextContent(fromHex("c04202aabb80000000")))).toBe("aabb");
    expect(outcome(() => decodePlaintextContent(fromHex("c04202aabb")))).toBe("bad-value");
    expect(outcome(() => decodePlaintextContent(fromHex("c14202aabb80")))).toBe("unknown-version");
    expect(outcome(() => decodePlaintextContent(fromHex("c080")))).toBe("missing-field");
    expect(outcome(() => decodePlaintextContent(fromHex("c0")))).toBe("bad-value");
  });

  test("a certificate that names somebody who is no device of ours is refused", () => {
    const [fields] = fc.sample(senderCertificate, { seed: 6, numRuns: 1 });
    if (fields === undefined) throw new Error("no sample");
    const inner = encodeSenderCertificateFields(fields);
    const nobody = toHex(inner).replace(toHex(toUtf8(fields.sender)), "30".repeat(36));
    const altered = fromHex(nobody);
    expect(altered.length).toBe(inner.length);
    expect(outcome(() => decodeSenderCertificate(encodeSigned({ certificate: altered, signature: SIGNATURE })))).toBe("bad-id");
    expect(outcome(() => decodeSenderCertificate(encodeSigned({ certificate: inner, signature: SIGNATURE.slice(1) })))).toBe("bad-length");
  });

  test("a time above 2^53 is refused and not rounded", () => {
    expect(outcome(() => decodeDecryptionErrorMessage(fromHex("10ffffffffffffff0f1801")))).toBe("accepted");
    expect(outcome(() => decodeDecryptionErrorMessage(fromHex("1080808080808080101801")))).toBe("bad-value");
  });
});

/** One field of a SignalMessage with a value of its type, or a field that no SignalMessage has. */
const anyField = fc.oneof(
  bytesOf(33).map((key) => concat(fromHex("0a21"), key)),
  fc.tuple(fc.constantFrom("10", "18"), fc.nat(127)).map(([tag, value]) => fromHex(tag + value.toString(16).padStart(2, "0"))),
  fc.tuple(fc.constantFrom("22", "2a"), bytesOf(0, 9)).map(([tag, value]) => concat(fromHex(tag), new Uint8Array([value.length]), value)),
  fc.constantFrom("38808001", "3d00010203", "410001020304050607", "4a0101", "4b10014c", "fa0700").map(fromHex),
);

test("whatever fields come in whatever order, the generated parser reads the same", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(anyField, { minLength: 2, maxLength: 9 }), (fields) => {
      const protobuf = concat(...fields);
      const twin = fromBinary(pb.SignalMessageSchema, protobuf);
      const bytes = concat(fromHex("44"), protobuf, MAC);
      const complete = twin.ratchetKey.length > 0 && Object.hasOwn(twin, "counter") && Object.hasOwn(twin, "ciphertext");
      expect(outcome(() => decodeSignalMessage(bytes))).toBe(complete ? "accepted" : "missing-field");
      if (!complete) return;
      accepted++;
      const { ratchetKey, counter, previousCounter, ciphertext, pqRatchet } = decodeSignalMessage(bytes);
      expect([ratchetKey, counter, previousCounter, ciphertext]).toEqual([
        twin.ratchetKey,
        twin.counter,
        twin.previousCounter,
        twin.ciphertext,
      ]);
      expect(toHex(pqRatchet ?? EMPTY)).toBe(toHex(twin.pqRatchet));
    }),
    { seed: 22, numRuns: 600 },
  );
  expect(accepted).toBeGreaterThan(50);
});
