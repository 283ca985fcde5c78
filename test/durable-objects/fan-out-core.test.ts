import { expect, test } from "vitest";
import { concat, parseDeviceId, parseMessageId, parseRegistrationId, sameBytes, toHex } from "#wire";
import type { JobRecipient, Outcome, Payload } from "../../durable-objects/fan-out/api.ts";
import { begin, isExpired, openChunks, openIn, pauseAfter, resultOf, settle } from "../../durable-objects/fan-out/core.ts";
import { decodePayload, encodePayload } from "../../durable-objects/fan-out/payload.ts";
import { seededRandom } from "../support/random.ts";

const DELIVERED: Outcome = { kind: "delivered" };
const FULL: Outcome = { kind: "mailbox-full" };
const MINUTE = 60_000;

test("a hundred recipients are four chunks, one more than 25 are two", () => {
  expect(openChunks(begin(100))).toEqual([0, 1, 2, 3]);
  expect(openChunks(begin(26))).toEqual([0, 1]);
  expect(openChunks(begin(25))).toEqual([0]);
  expect(openIn(begin(26), 1)).toEqual([25]);
  expect(openIn(begin(26), 2)).toEqual([]);
});

test("what is settled is not open, and a chunk without anything open is none", () => {
  const progress = settle(begin(27), [
    { index: 25, outcome: DELIVERED },
    { index: 26, outcome: FULL },
    { index: 3, outcome: DELIVERED },
  ]);
  expect(openChunks(progress)).toEqual([0]);
  expect(openIn(progress, 0)).not.toContain(3);
  expect(resultOf(progress)).toEqual({ state: "pending", delivered: 2, refused: [{ index: 26, outcome: FULL }] });
});

test("the first outcome stays, and places that there are not change nothing", () => {
  const once = settle(begin(2), [{ index: 0, outcome: FULL }]);
  const twice = settle(once, [
    { index: 0, outcome: DELIVERED },
    { index: 2, outcome: DELIVERED },
    { index: -1, outcome: DELIVERED },
  ]);
  expect(twice).toEqual(once);
  expect(resultOf(settle(twice, [{ index: 1, outcome: DELIVERED }]))).toMatchObject({ state: "done", delivered: 1 });
});

test("pauses double up to six hours, and are spread by a quarter each way", () => {
  const middle = Array.from({ length: 40 }, (_, failures) => pauseAfter(failures, MINUTE, 0.5));
  expect(middle.slice(0, 4)).toEqual([1, 2, 4, 8].map((minutes) => minutes * MINUTE));
  expect(middle).toEqual(middle.toSorted((a, b) => a - b));
  expect(middle.at(-1)).toBe(360 * MINUTE);
  expect(pauseAfter(0, MINUTE, 0)).toBe(45_000);
  expect(pauseAfter(0, MINUTE, 1)).toBe(75_000);
});

test("a job is tried for as long as a mailbox would keep the message", () => {
  const days = (count: number): number => count * 24 * 60 * MINUTE;
  expect(isExpired(0, days(30) - 1)).toBe(false);
  expect(isExpired(0, days(30))).toBe(true);
});

function payload(): Payload {
  const random = seededRandom(1);
  const recipient = (devices: number, scope: "all" | "some"): JobRecipient => ({
    mailbox: toHex(random(32)),
    scope,
    devices: Array.from({ length: devices }, (_, i) => ({
      deviceId: parseDeviceId(i + 1),
      registrationId: parseRegistrationId(16_383 - i),
      maskedKey: random(32),
      senderTag: random(16),
    })),
  });
  const messageId = parseMessageId("00112233-4455-4677-8899-aabbccddeeff");
  return { messageId, recipients: [recipient(6, "all"), recipient(1, "some"), recipient(2, "all")], tail: random(100) };
}

test("a stored payload is what was submitted, byte for byte both ways", () => {
  const bytes = encodePayload(payload());
  expect(decodePayload(bytes)).toEqual(payload());
  expect(sameBytes(encodePayload(decodePayload(bytes)), bytes)).toBe(true);
});

test("a payload that is cut within its recipients, or of another version, is a mistake of ours and says so", () => {
  const bytes = encodePayload(payload());
  for (const length of [0, 1, 16, 17, 18, 50, 300]) expect(() => decodePayload(bytes.slice(0, length))).toThrow("INV-14");
  expect(() => decodePayload(concat(Uint8Array.of(2), bytes.slice(1)))).toThrow("INV-14");
});
