import { describe, expect, test } from "vitest";
import { acceptReport, reportUnopened } from "../../protocol/index.ts";
import { ascii, type Bytes, copy, parseDeviceId, type SealedKind } from "../../wire/index.ts";
import { LIBRARIES } from "./library.ts";
import { accepted } from "./ours.ts";
import type { Peer } from "./peer.ts";
import { ALICE, BOB, SealedWorld } from "./sealed-world.ts";

const SENT_AT = 1_790_000_000_123;
const hello = ascii("hello");

/** The plaintext-content message by which a device of the library reports one that it could not open. */
function reportByTheirs({ library }: Peer, kind: SealedKind, bytes: Bytes, senderDeviceId: number): Bytes {
  const { CiphertextMessageType, DecryptionErrorMessage, PlaintextContent } = library.api;
  const types = {
    message: CiphertextMessageType.Whisper,
    prekey: CiphertextMessageType.PreKey,
    "sender-key": CiphertextMessageType.SenderKey,
    plaintext: CiphertextMessageType.Plaintext,
  };
  const error = DecryptionErrorMessage.forOriginal(bytes, types[kind], SENT_AT, senderDeviceId);
  return copy(PlaintextContent.from(error).serialize());
}

describe.each(LIBRARIES)("decryption errors with $version", (library) => {
  test("ours and theirs report a message in the same bytes", async () => {
    const { ours, theirs } = new SealedWorld(library, 2);
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    const prekey = ours.seal(BOB, hello);
    await theirs.open(ALICE, prekey);
    const answer = await theirs.seal(ALICE, hello);
    for (const { kind, bytes } of [prekey, answer]) {
      const unopened = { kind, bytes, sentAtMilliseconds: SENT_AT, senderDeviceId: parseDeviceId(3) };
      expect(reportUnopened(unopened)).toEqual(reportByTheirs(theirs, kind, bytes, 3));
    }
  });

  test("a report of ours is understood by theirs, and the session it names is the current one", async () => {
    const { ours, theirs } = new SealedWorld(library, 3);
    const { DecryptionErrorMessage, PlaintextContent } = library.api;
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    await theirs.open(ALICE, ours.seal(BOB, hello));
    const { kind, bytes } = await theirs.seal(ALICE, hello);
    const report = reportUnopened({ kind, bytes, sentAtMilliseconds: SENT_AT, senderDeviceId: BOB.deviceId });
    const error = DecryptionErrorMessage.extractFromSerializedBody(PlaintextContent.deserialize(report).body());
    expect([error.timestamp(), error.deviceId()]).toEqual([SENT_AT, BOB.deviceId]);
    const ratchetKey = error.ratchetKey();
    const session = await theirs.stores.sessions.getSession(theirs.named(ALICE));
    expect(ratchetKey !== undefined && session?.currentRatchetKeyMatches(ratchetKey)).toBe(true);
  });

  test("a report of theirs makes ours begin anew, and the conversation goes on", async () => {
    const { ours, theirs } = new SealedWorld(library, 4);
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    await theirs.open(ALICE, ours.seal(BOB, hello));
    ours.open(BOB, await theirs.seal(ALICE, hello));
    const lost = ours.seal(BOB, ascii("never opened"));
    const report = reportByTheirs(theirs, lost.kind, lost.bytes, ALICE.deviceId);

    const outcome = acceptReport(ours.session(BOB), report, ALICE.deviceId);
    expect(ours.commitSession(BOB, outcome)).toEqual({ sentAtMilliseconds: SENT_AT, sessionArchived: true });
    expect(() => ours.seal(BOB, hello)).toThrow("refused: no-session");
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    expect(await theirs.open(ALICE, ours.seal(BOB, ascii("again")))).toEqual(ascii("again"));
    expect(ours.open(BOB, await theirs.seal(ALICE, ascii("got it")))).toEqual(ascii("got it"));

    // The same report again, late: the session was repaired already.
    const late = accepted(acceptReport(ours.session(BOB), report, ALICE.deviceId));
    expect(late.output).toEqual({ sentAtMilliseconds: SENT_AT, sessionArchived: false });
  });

  test("a report for another device of ours changes nothing here", async () => {
    const { ours, theirs } = new SealedWorld(library, 5);
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    const { kind, bytes } = ours.seal(BOB, hello);
    const report = reportByTheirs(theirs, kind, bytes, 99);
    expect(acceptReport(ours.session(BOB), report, ALICE.deviceId)).toEqual({ kind: "refused", code: "not-authorized" });
  });

  test("a report about a group message names no ratchet, in both", async () => {
    const { ours, theirs } = new SealedWorld(library, 6);
    const report = reportUnopened({ kind: "sender-key", bytes: hello, sentAtMilliseconds: SENT_AT, senderDeviceId: ALICE.deviceId });
    expect(report).toEqual(reportByTheirs(theirs, "sender-key", hello, ALICE.deviceId));
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    const { output } = accepted(acceptReport(ours.session(BOB), report, ALICE.deviceId));
    expect(output).toEqual({ sentAtMilliseconds: SENT_AT, sessionArchived: false });
  });
});
