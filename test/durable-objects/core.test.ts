import fc from "fast-check";
import { expect, test } from "vitest";
import { MAILBOX_QUOTA_BYTES, MAILBOX_QUOTA_MESSAGES, MAILBOX_WINDOW_BYTES, parseDeviceId, parseRegistrationId } from "#wire";
import {
  acceptedAt,
  type Attempts,
  compareDevices,
  countAttempt,
  fitsQuota,
  fitsWindow,
  isForgotten,
  isStaleSocket,
  nextSequence,
  NO_ATTEMPTS,
  type Patience,
  seenMark,
  spendPatience,
} from "../../durable-objects/mailbox/core.ts";

const runs = { seed: 3, numRuns: 300 };
const device = fc.record({
  deviceId: fc.integer({ min: 1, max: 8 }).map(parseDeviceId),
  registrationId: fc.integer({ min: 1, max: 2 }).map(parseRegistrationId),
});
const devices = fc.uniqueArray(device, { selector: ({ deviceId }) => deviceId, maxLength: 6 });

test("whoever names the devices that there are, and no others, is let through", () => {
  fc.assert(
    fc.property(devices, devices, (active, named) => {
      const changes = compareDevices(active, named, "all");
      const same = JSON.stringify(sorted(active)) === JSON.stringify(sorted(named));
      expect(changes === undefined).toBe(same);
      // Having done as it was told, the sender is let through.
      const told = new Set([...(changes?.missing ?? []), ...(changes?.stale ?? [])]);
      const kept = named.filter(({ deviceId }) => changes?.extra.includes(deviceId) !== true && !told.has(deviceId));
      const repaired = [...kept, ...active.filter(({ deviceId }) => told.has(deviceId))];
      expect(compareDevices(active, repaired, "all")).toBeUndefined();
      const some = compareDevices(active, named, "some");
      expect(some?.missing ?? []).toEqual([]);
      expect(some === undefined).toBe(changes === undefined || changes.extra.length + changes.stale.length === 0);
    }),
    runs,
  );
});

function sorted<D extends { readonly deviceId: number }>(list: readonly D[]): readonly D[] {
  return list.toSorted((a, b) => a.deviceId - b.deviceId);
}

test("numbers rise whatever the clock does, and tell the time while it does nothing strange", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_000_000_000_000 }), { minLength: 1 }), (times) => {
      let last = 0;
      for (const time of times) {
        const next = nextSequence(last, time);
        expect(next).toBeGreaterThan(last);
        expect(Number.isSafeInteger(next)).toBe(true);
        if (last < time * 1000) expect(acceptedAt(next)).toBe(time);
        last = next;
      }
    }),
    runs,
  );
});

test("quota and window end where they say", () => {
  expect(fitsQuota({ messages: MAILBOX_QUOTA_MESSAGES - 1, bytes: 0 }, 1)).toBe(true);
  expect(fitsQuota({ messages: MAILBOX_QUOTA_MESSAGES, bytes: 0 }, 1)).toBe(false);
  expect(fitsQuota({ messages: 0, bytes: MAILBOX_QUOTA_BYTES - 1 }, 1)).toBe(true);
  expect(fitsQuota({ messages: 0, bytes: MAILBOX_QUOTA_BYTES }, 1)).toBe(false);
  expect(fitsWindow({ messages: 255, bytes: 0 }, 1)).toBe(true);
  expect(fitsWindow({ messages: 256, bytes: 0 }, 1)).toBe(false);
  expect(fitsWindow({ messages: 1, bytes: MAILBOX_WINDOW_BYTES - 1 }, 1)).toBe(true);
  expect(fitsWindow({ messages: 1, bytes: MAILBOX_WINDOW_BYTES }, 1)).toBe(false);
  // Whatever its size, one message is always let through: else nothing would ever be acknowledged.
  expect(fitsWindow({ messages: 0, bytes: 0 }, MAILBOX_WINDOW_BYTES * 2)).toBe(true);
});

test("the oldest message is parked after five attempts, not after four, and alone", () => {
  let attempts: Attempts = NO_ATTEMPTS;
  for (let i = 0; i < 5; i++) {
    attempts = countAttempt(attempts, [10, 20]);
    expect(attempts.parked).toEqual([]);
  }
  attempts = countAttempt(attempts, [10, 20]);
  expect(attempts).toEqual({ oldest: 20, count: 1, parked: [10] });
  // Whatever gets on begins to count anew.
  expect(countAttempt(attempts, [10, 30])).toEqual({ oldest: 30, count: 1, parked: [10] });
  expect(countAttempt(attempts, [])).toEqual(NO_ATTEMPTS);
});

test("a queue in which nothing is acknowledged is parked one by one, and loses nothing", () => {
  const queued = [1, 2, 3];
  let attempts: Attempts = NO_ATTEMPTS;
  for (let i = 0; i < 20; i++) attempts = countAttempt(attempts, queued);
  expect(attempts.parked).toEqual(queued);
  for (const seq of attempts.parked) expect(queued).toContain(seq);
});

test("a device is forgotten 45 days after the mark, which is never behind the day that it was seen", () => {
  fc.assert(
    fc.property(fc.nat(30_000), fc.nat(30_000), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (mark, today, blur) => {
      const next = seenMark(mark, today, blur);
      expect(next).toBeGreaterThanOrEqual(today);
      expect(next).toBeLessThanOrEqual(Math.max(mark, today + 2));
      expect(isForgotten(next, today + 44)).toBe(false);
      expect(isForgotten(next, Math.max(next, today) + 45)).toBe(true);
    }),
    runs,
  );
});

test("a socket is stale after 75 seconds", () => {
  expect([isStaleSocket(1000, 76_000), isStaleSocket(1000, 76_001)]).toEqual([false, true]);
});

test("a hundred useless frames at once are too many, ten a second are not, and rest gives no more than a hundred", () => {
  expect(useless(undefined, 150, 0)).toBe(100);
  expect(useless(undefined, 1000, 100)).toBe(1000);
  expect(useless({ left: 0, atMilliseconds: -1e9 }, 150, 0)).toBe(100);
  // A clock that steps back costs nothing and earns nothing.
  expect(spendPatience({ left: 5, atMilliseconds: 1000 }, 0)).toEqual({ left: 4, atMilliseconds: 0 });
});

function useless(before: Patience | undefined, count: number, everyMilliseconds: number): number {
  let patience = before;
  for (let i = 0; i < count; i++) {
    patience = spendPatience(patience, i * everyMilliseconds);
    if (patience === undefined) return i;
  }
  return count;
}
