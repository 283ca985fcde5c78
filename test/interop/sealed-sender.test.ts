import { describe, expect, test } from "vitest";
import { generateKeyPair } from "../../crypto/index.ts";
import { sealForOne } from "../../protocol/index.ts";
import { ascii, copy, serviceIdOfDevice } from "../../wire/index.ts";
import { NOW_MILLISECONDS } from "./authority.ts";
import { LIBRARIES } from "./library.ts";
import { isRefused } from "./party.ts";
import { Peer } from "./peer.ts";
import { theirsOpenWhole, theirsSealForOne } from "./sealed-peer.ts";
import { ALICE, BOB, flipped, SealedWorld } from "./sealed-world.ts";

const GROUP_ID = ascii("some group");
const RESENDABLE = 1;
const hello = ascii("hello");

describe.each(LIBRARIES)("sealed sender, version 1, with $version", (library) => {
  test.each([1, 2])("ours, with a first message inside, is opened by theirs (%i)", async (seed) => {
    const world = new SealedWorld(library, seed);
    const { ours, theirs } = world;
    ours.begin(BOB, await theirs.bundle("with one-time prekeys"));
    const { kind, bytes } = ours.seal(BOB, hello);
    const sealed = sealForOne({ ...world.sealable(bytes), kind, contentHint: RESENDABLE, groupId: GROUP_ID }, world.random);
    const opened = await world.theirsOpen(theirs, sealed);
    expect(opened).toEqual({
      sender: serviceIdOfDevice(ALICE),
      deviceId: ALICE.deviceId,
      senderKey: ours.identity.publicKey.encode(),
      contentKind: "prekey",
      content: bytes,
      contentHint: RESENDABLE,
      groupId: GROUP_ID,
    });
    expect(await theirs.open(ALICE, { kind: "prekey", bytes: opened.content })).toEqual(hello);
  });

  test.each([3, 4])("theirs, with a first message inside, is opened by ours (%i)", async (seed) => {
    const world = new SealedWorld(library, seed);
    const { ours, theirs } = world;
    await theirs.begin(ALICE, ours.bundle("with one-time prekeys"));
    const message = await theirs.sealAsObject(ALICE, hello);
    const content = { certificate: world.theirsCertificate(), message, contentHint: RESENDABLE, groupId: GROUP_ID };
    const opened = world.oursOpen(ours.identity, await theirsSealForOne(theirs, ALICE, content));
    expect(opened).toMatchObject({ sender: BOB, contentKind: "prekey", contentHint: RESENDABLE, groupId: GROUP_ID });
    expect(opened.identityKey.encode()).toEqual(theirs.identityKey);
    expect(ours.open(BOB, { kind: "prekey", bytes: copy(opened.content) })).toEqual(hello);
  });

  test("what is altered under way is refused by both, whichever made it", async () => {
    const world = new SealedWorld(library, 6);
    const { ours, theirs } = world;
    await theirs.begin(ALICE, ours.bundle("with one-time prekeys"));
    const message = await theirs.sealAsObject(ALICE, hello);
    const content = { certificate: world.theirsCertificate(), message, contentHint: 0, groupId: undefined };
    const toAlice = await theirsSealForOne(theirs, ALICE, content);
    const toBob = sealForOne(world.sealable(hello), world.random);
    expect(world.oursOpen(ours.identity, toAlice).sender).toEqual(BOB);
    expect((await world.theirsOpen(theirs, toBob)).content).toEqual(hello);
    // The version byte is outside of everything authenticated: ours reads all of it, theirs its high half.
    for (const sealed of [toAlice, toBob]) {
      const identity = sealed === toAlice ? ours.identity : world.bobsIdentity;
      for (let position = 0; position < sealed.length; position++) {
        expect(() => world.oursOpen(identity, flipped(sealed, position)), `byte ${position}`).toThrow("refused");
      }
    }
    for (let position = 1; position < toBob.length; position++) {
      expect(await isRefused(() => world.theirsOpen(theirs, flipped(toBob, position))), `byte ${position}`).toBe(true);
    }
  });

  test("a seal under one key with the certificate of another is refused by both", async () => {
    const world = new SealedWorld(library, 8);
    const forged = sealForOne({ ...world.sealable(hello), sender: generateKeyPair(world.random) }, world.random);
    expect(() => world.oursOpen(world.bobsIdentity, forged)).toThrow("refused: bad-certificate");
    expect(await isRefused(() => world.theirsOpen(world.theirs, forged))).toBe(true);
  });

  test("what a device sealed for itself is refused by both", async () => {
    const world = new SealedWorld(library, 10);
    const { identity } = world.ours;
    const sealed = sealForOne({ ...world.sealable(hello), recipient: identity.publicKey }, world.random);
    expect(() => world.oursOpen(identity, sealed)).toThrow("refused: self-send");
    const twin = new Peer(library, ALICE, 1, copy(identity.privateKey.expose()));
    await expect(theirsOpenWhole(twin, sealed, world.authority.trustRoot.publicKey, NOW_MILLISECONDS)).rejects.toThrow(/self send/i);
  });

  test("the library's one call from seal to plaintext opens ours", async () => {
    const world = new SealedWorld(library, 12);
    const { ours, theirs } = world;
    ours.begin(BOB, await theirs.bundle("without one-time prekeys"));
    const { kind, bytes } = ours.seal(BOB, hello);
    const sealed = sealForOne({ ...world.sealable(bytes), kind }, world.random);
    const result = await theirsOpenWhole(theirs, sealed, world.authority.trustRoot.publicKey, NOW_MILLISECONDS);
    expect(copy(result.message())).toEqual(hello);
    expect([result.senderUuid(), result.deviceId()]).toEqual([serviceIdOfDevice(ALICE), ALICE.deviceId]);
  });
});
