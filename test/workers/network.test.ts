import { expect, test } from "vitest";
import { locationHintOf } from "../../workers/gateway/location.ts";
import { networkOf } from "../../workers/gateway/network.ts";

test.each([
  ["192.0.2.1", "192.0.2.254"],
  ["::ffff:192.0.2.1", "192.0.2.9"],
  ["2001:db8:1:200::1", "2001:db8:1:2ff:ffff:ffff:ffff:ffff"],
  ["2001:DB8::1", "2001:db8:0:0:1::"],
  ["::1", "::2"],
  ["", ""],
])("%s and %s are of one network", (a, b) => {
  expect(networkOf(a)).toBe(networkOf(b));
});

test.each([
  ["192.0.2.1", "192.0.3.1"],
  ["2001:db8:1:200::1", "2001:db8:1:300::1"],
  ["2001:db8:1::", "2001:db8:2::"],
  ["::1", "1::"],
  ["::1", "192.0.2.1"],
])("%s and %s are not", (a, b) => {
  expect(networkOf(a)).not.toBe(networkOf(b));
});

test.each([
  [{ continent: "EU", longitude: "2.35" }, "weur"],
  [{ continent: "EU", longitude: "30.5" }, "eeur"],
  [{ continent: "NA", longitude: "-74" }, "enam"],
  [{ continent: "NA", longitude: "-122.4" }, "wnam"],
  [{ continent: "AS", longitude: "51.5" }, "me"],
  [{ continent: "AS", longitude: "139" }, "apac"],
  [{ continent: "AF" }, "afr"],
  [{ continent: "OC" }, "oc"],
  [{ continent: "SA" }, "sam"],
  [{ continent: "AN" }, undefined],
  [{}, undefined],
])("%o registers in %s", (place, hint) => {
  expect(locationHintOf(place)).toBe(hint);
});
