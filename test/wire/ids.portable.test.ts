import fc from "fast-check";
import { expect, test } from "vitest";
import {
  deviceOfServiceId,
  fromHex,
  parseDeviceId,
  parseDistributionId,
  parseGroupId,
  parseMediaId,
  parseMessageId,
  parseRegistrationId,
  parseServiceId,
  parseUserId,
  serviceIdFromFixedWidth,
  serviceIdOfDevice,
  serviceIdToFixedWidth,
  toHex,
  userIdFromDigest,
  uuidFromBytes,
  uuidToBytes,
} from "#wire";
import { bytesOf, deviceAddress, outcome } from "../support/wire.ts";

const RUNS = { seed: 41, numRuns: 300 };

test("a ServiceId names one device, and tells which", () => {
  fc.assert(
    fc.property(deviceAddress, (address) => {
      const serviceId = serviceIdOfDevice(address);
      expect(deviceOfServiceId(serviceId)).toEqual(address);
      expect(parseServiceId(serviceId)).toBe(serviceId);
      expect(serviceId.slice(0, 34)).toBe(address.userId.slice(0, 34));
      const fixed = serviceIdToFixedWidth(serviceId);
      expect(fixed.length).toBe(17);
      expect(serviceIdFromFixedWidth(fixed)).toBe(serviceId);
    }),
    RUNS,
  );
});

test("two devices never have the same ServiceId", () => {
  fc.assert(
    fc.property(deviceAddress, deviceAddress, (a, b) => {
      const same = a.userId === b.userId && a.deviceId === b.deviceId;
      expect(serviceIdOfDevice(a) === serviceIdOfDevice(b)).toBe(same);
    }),
    RUNS,
  );
});

test("a userId is 15 bytes of a digest and a zero byte, as a UUID of version 8", () => {
  fc.assert(
    fc.property(bytesOf(32), (digest) => {
      const userId = userIdFromDigest(digest);
      expect(userId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{10}00$/);
      expect(parseUserId(userId)).toBe(userId);
      // All but the six bits of version and variant are the digest's.
      const mask = fromHex("ffffffffffff0fff3fffffffffffff00");
      const masked = (bytes: Uint8Array): string => toHex(bytes.map((byte, index) => byte & (mask[index] ?? 0)));
      expect(masked(uuidToBytes(userId))).toBe(masked(digest.subarray(0, 16)));
    }),
    RUNS,
  );
  expect(userIdFromDigest(new Uint8Array(32).fill(0xff))).toBe("ffffffff-ffff-8fff-bfff-ffffffffff00");
});

const USER = "01234567-89ab-8def-8123-456789abcd00";
const HEX_64 = "0123456789abcdef".repeat(4);

test.each<[string, (value: unknown) => unknown, readonly unknown[], readonly unknown[]]>([
  [
    "userId",
    parseUserId,
    [USER, "00000000-0000-8000-b000-000000000000"],
    [
      USER.toUpperCase(),
      USER.replace("8def", "4def"),
      USER.replace("8123", "c123"),
      `${USER.slice(0, -2)}01`,
      USER.replaceAll("-", ""),
      ` ${USER}`,
      `${USER}\n`,
      "",
      undefined,
      7,
      [USER],
    ],
  ],
  [
    "ServiceId",
    parseServiceId,
    [`${USER.slice(0, -2)}01`, `${USER.slice(0, -2)}7f`],
    [USER, `${USER.slice(0, -2)}80`, `${USER.slice(0, -2)}ff`, USER.replace("8def", "4def"), `PNI:${USER}`, undefined, 1],
  ],
  ["deviceId", parseDeviceId, [1, 127], [0, 128, -1, 1.5, Number.NaN, "1", 1n, undefined]],
  ["registrationId", parseRegistrationId, [0, 0x3fff], [0x4000, -1, 0.5, "1", undefined]],
  ["messageId", parseMessageId, [USER, "ffffffff-ffff-ffff-ffff-ffffffffffff"], [USER.toUpperCase(), HEX_64, "", 1]],
  ["distributionId", parseDistributionId, [USER], [USER.slice(1), "", undefined]],
  ["groupId", parseGroupId, [HEX_64], [HEX_64.toUpperCase(), HEX_64.slice(1), `${HEX_64}0`, USER, "", undefined]],
  ["mediaId", parseMediaId, [HEX_64], [HEX_64.toUpperCase(), `${HEX_64}\n`, "", 1]],
])("a %s is what its parser accepts, unchanged, and nothing else is one", (_, parse, valid, invalid) => {
  for (const value of valid) expect(parse(value)).toBe(value);
  for (const value of invalid) expect(outcome(() => parse(value))).toBe("bad-id");
});

test("a fixed-width ServiceId has 17 bytes, is an ACI and names a device", () => {
  const fixed = fromHex(`00${USER.replaceAll("-", "").slice(0, -2)}05`);
  expect(outcome(() => serviceIdFromFixedWidth(fixed))).toBe("accepted");
  const wrong = ["01", "00"].map((kind, index) => fromHex(kind + toHex(fixed.subarray(1, 16)) + (index === 0 ? "05" : "00")));
  for (const bytes of [...wrong, fixed.subarray(1), fromHex(`${toHex(fixed)}00`), new Uint8Array(0)]) {
    expect(outcome(() => serviceIdFromFixedWidth(bytes))).toBe("bad-id");
  }
});

test("a UUID is 16 bytes", () => {
  fc.assert(
    fc.property(bytesOf(16), (bytes) => {
      expect(toHex(uuidToBytes(uuidFromBytes(bytes)))).toBe(toHex(bytes));
    }),
    RUNS,
  );
  expect(outcome(() => uuidFromBytes(new Uint8Array(15)))).toBe("bad-id");
});
