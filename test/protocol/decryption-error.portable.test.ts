import { acceptReport, encodeSessionRecord, reportUnopened } from "#protocol";
import { ascii, type Bytes, parseDeviceId, toHex } from "#wire";
import { expect, test } from "vitest";
import { accepted, pair } from "../support/devices.ts";

const text = ascii("hello");
const SENT_AT = 1_790_000_000_123;

test("a report about the current session archives it, and the next message begins anew", () => {
  const { alice, bob } = pair(1, 3);
  bob.open(alice, alice.seal(bob, text));
  alice.open(bob, bob.seal(alice, text));
  const lost = alice.seal(bob, text);
  const report = reportUnopened({ ...lost, sentAtMilliseconds: SENT_AT, senderDeviceId: alice.local.address.deviceId });
  const accept = accepted(acceptReport(alice.record(bob), report, alice.local.address.deviceId));
  expect(accept.output).toEqual({ sentAtMilliseconds: SENT_AT, sessionArchived: true });
  expect(accept.state.current).toBeUndefined();
  expect(accept.state.archived).toHaveLength(1);
  alice.records.set(`${bob.local.address.userId}.1`, accept.state);
  alice.begin(bob);
  const anew = alice.seal(bob, text);
  expect(anew.kind).toBe("prekey");
  expect(bob.open(alice, anew)).toEqual(text);
});

test("a report about a session that is no longer current changes nothing", () => {
  const { alice, bob } = pair(2, 3);
  const old = alice.seal(bob, text);
  alice.begin(bob);
  expectUnchanged(reportUnopened({ ...old, sentAtMilliseconds: SENT_AT, senderDeviceId: alice.local.address.deviceId }));

  function expectUnchanged(report: Bytes): void {
    const before = toHex(encodeSessionRecord(alice.record(bob)));
    const outcome = accepted(acceptReport(alice.record(bob), report, alice.local.address.deviceId));
    expect(outcome.output.sessionArchived).toBe(false);
    expect(toHex(encodeSessionRecord(outcome.state))).toBe(before);
  }
});

test("a report for another device is refused", () => {
  const { alice, bob } = pair(3);
  const lost = alice.seal(bob, text);
  const report = reportUnopened({ ...lost, sentAtMilliseconds: SENT_AT, senderDeviceId: parseDeviceId(2) });
  expect(acceptReport(alice.record(bob), report, alice.local.address.deviceId)).toEqual({ kind: "refused", code: "not-authorized" });
});

test("a report about a group message names no session and archives none", () => {
  const { alice, bob } = pair(4);
  const report = reportUnopened({
    kind: "sender-key",
    bytes: text,
    sentAtMilliseconds: SENT_AT,
    senderDeviceId: alice.local.address.deviceId,
  });
  const outcome = accepted(acceptReport(alice.record(bob), report, alice.local.address.deviceId));
  expect(outcome.output).toEqual({ sentAtMilliseconds: SENT_AT, sessionArchived: false });
});
