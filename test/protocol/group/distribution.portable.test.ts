import { distributionIdOf, senderKeyMustRotate } from "#protocol";
import { parseDeviceId, parseGroupId, type ServiceId, serviceIdOfDevice, userIdFromDigest } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../../support/random.ts";

const DAY = 24 * 3600;
const NOW = 1_790_000_000;
const userId = userIdFromDigest(seededRandom(1)(32));
const devices = (...ids: number[]): ReadonlySet<ServiceId> =>
  new Set(ids.map((id) => serviceIdOfDevice({ userId, deviceId: parseDeviceId(id) })));
const fresh = { createdSeconds: NOW, messages: 0, heldBy: devices(1, 2) };
const need = { devices: devices(2, 1), nowSeconds: NOW };

test("a sender key is kept while the devices, its age and its messages allow", () => {
  expect(senderKeyMustRotate(fresh, need)).toBe(false);
  expect(senderKeyMustRotate({ ...fresh, messages: 99 }, { ...need, nowSeconds: NOW + 7 * DAY - 1 })).toBe(false);
});

test.each([
  ["a device has come", { ...fresh }, { ...need, devices: devices(1, 2, 3) }],
  ["a device has gone", { ...fresh }, { ...need, devices: devices(1) }],
  ["a device took another's place", { ...fresh }, { ...need, devices: devices(1, 3) }],
  ["all have gone", { ...fresh }, { ...need, devices: devices() }],
  ["a hundred messages were sent", { ...fresh, messages: 100 }, need],
  ["seven days have passed", fresh, { ...need, nowSeconds: NOW + 7 * DAY }],
  ["the clock was set back", { ...fresh, createdSeconds: NOW + 7 * DAY }, need],
])("it rotates when %s", (_, use, now) => {
  expect(senderKeyMustRotate(use, now)).toBe(true);
});

test("a group has one distribution, and no two groups have the same", () => {
  const one = parseGroupId("ab".repeat(32));
  const other = parseGroupId("ac".repeat(32));
  expect(distributionIdOf(one)).toBe(distributionIdOf(one));
  expect(distributionIdOf(one)).not.toBe(distributionIdOf(other));
  expect(distributionIdOf(one)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
