import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Bytes,
  concat,
  decodeSealedMessage,
  encodeMultiRecipient,
  fromHex,
  MAX_ENVELOPE_BYTES,
  parseDeviceId,
  parseRegistrationId,
  parseUserId,
  receivedMessage,
  serviceIdOfDevice,
  serviceIdToFixedWidth,
  splitMultiRecipient,
  toHex,
  UsageError,
} from "#wire";
import { multiRecipient, outcome } from "../support/wire.ts";

const USER = parseUserId("01234567-89ab-8def-8123-456789abcd00");
const serviceId = (device: number) => serviceIdOfDevice({ userId: USER, deviceId: parseDeviceId(device) });
const C = fromHex("c1".repeat(32));
const AT = fromHex("a7".repeat(16));
const TAIL = fromHex("ee".repeat(32) + "dd".repeat(20));

const id = (device: number): string => toHex(serviceIdToFixedWidth(serviceId(device)));
const entry = (device: number, registration = "1234"): string =>
  `${id(device)}${device.toString(16).padStart(2, "0")}${registration}${toHex(C)}${toHex(AT)}`;
const sent = (count: string, ...entries: string[]): Bytes => fromHex(`23${count}${entries.join("")}${toHex(TAIL)}`);

test("a message by hand splits into what each device receives", () => {
  const message = splitMultiRecipient(sent("03", entry(1), `${id(2)}00`, entry(3, "3fff")));
  expect(message.recipients.map((recipient) => [recipient.serviceId, recipient.registrationId])).toEqual([
    [serviceId(1), 0x1234],
    [serviceId(3), 0x3fff],
  ]);
  expect(message.excluded).toEqual([serviceId(2)]);
  for (const recipient of message.recipients) {
    const received = receivedMessage(message, recipient);
    expect(toHex(received)).toBe(`22${toHex(C)}${toHex(AT)}${toHex(TAIL)}`);
    expect(decodeSealedMessage(received).kind).toBe("v2");
  }
});

test("what is encoded splits into the same parts", () => {
  fc.assert(
    fc.property(multiRecipient, (message) => {
      expect(splitMultiRecipient(encodeMultiRecipient(message))).toEqual(message);
    }),
    { seed: 61, numRuns: 300 },
  );
});

test("the same entry twice counts once", () => {
  expect(splitMultiRecipient(sent("02", entry(1), entry(1))).recipients.length).toBe(1);
});

test.each([
  ["nothing", new Uint8Array(0), "truncated"],
  ["the old form of 16-byte ids", fromHex(toHex(sent("01", entry(1))).replace(/^23/, "22")), "unknown-version"],
  ["fewer entries than it counts", sent("03", entry(1)), "bad-id"],
  ["no tail", fromHex(`2301${entry(1)}`), "truncated"],
  ["a tail without room for a tag", fromHex(`2301${entry(1)}${"ee".repeat(47)}`), "truncated"],
  ["a device that its ServiceId does not name", sent("01", entry(1).replace(`${id(1)}01`, `${id(1)}02`)), "bad-id"],
  ["a second device in one entry", sent("01", `${id(1)}019234021234${toHex(C)}${toHex(AT)}`), "bad-id"],
  ["a registration id of 15 bits", sent("01", entry(1, "4000")), "bad-id"],
  ["a ServiceId of another kind", sent("01", `01${entry(1).slice(2)}`), "bad-id"],
  ["a ServiceId that names no device", sent("01", `${id(1).slice(0, -2)}00${entry(1).slice(34)}`), "bad-id"],
  ["somebody both left out and addressed", sent("02", entry(1), `${id(1)}00`), "bad-value"],
  ["somebody left out twice", sent("02", `${id(1)}00`, `${id(1)}00`), "bad-value"],
  ["two registrations of one device", sent("02", entry(1), entry(1, "1235")), "bad-value"],
  ["two keys for one device", sent("02", entry(1), entry(1).replace("c1c1", "c1c2")), "bad-value"],
  ["601 entries", sent("d904"), "too-many"],
  ["2^53 entries", sent("8080808080808010"), "bad-value"],
])("a message with %s is refused", (_, bytes, code) => {
  expect(outcome(() => splitMultiRecipient(bytes))).toBe(code);
});

test("600 devices fit, and a payload as large as an envelope, but not one byte more", () => {
  const recipients = Array.from({ length: 600 }, (_, index) => {
    const digits = (index >> 6).toString(16).padStart(2, "0");
    const userId = parseUserId(USER.replace(/^01/, digits));
    const address = { userId, deviceId: parseDeviceId(1 + (index % 64)) };
    return { serviceId: serviceIdOfDevice(address), registrationId: parseRegistrationId(index), maskedKey: C, senderTag: AT };
  });
  const tail = new Uint8Array(MAX_ENVELOPE_BYTES - 49);
  const encoded = encodeMultiRecipient({ recipients, excluded: [], tail });
  const message = splitMultiRecipient(encoded);
  expect(message.recipients.length).toBe(600);
  const [first] = message.recipients;
  expect(first && receivedMessage(message, first).length).toBe(MAX_ENVELOPE_BYTES);

  expect(outcome(() => splitMultiRecipient(concat(encoded, new Uint8Array(1))))).toBe("too-long");
  const few = encodeMultiRecipient({ recipients: recipients.slice(0, 1), excluded: [], tail });
  expect(outcome(() => splitMultiRecipient(concat(few, new Uint8Array(1))))).toBe("too-long");
  const longer = concat(tail, new Uint8Array(1));
  expect(() => encodeMultiRecipient({ recipients: [], excluded: [], tail: longer })).toThrow(UsageError);
  expect(() => encodeMultiRecipient({ recipients, excluded: [serviceId(1)], tail: TAIL })).toThrow(UsageError);
});

test("a masked key or tag of another length is not encoded", () => {
  const right = { serviceId: serviceId(1), registrationId: parseRegistrationId(1), maskedKey: C, senderTag: AT };
  for (const wrong of [{ maskedKey: C.slice(1) }, { senderTag: C }]) {
    expect(() => encodeMultiRecipient({ recipients: [{ ...right, ...wrong }], excluded: [], tail: TAIL })).toThrow(UsageError);
  }
});
