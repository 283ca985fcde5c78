import { describe, expect, test } from "vitest";
import { ascii, type Bytes, type DeviceAddress } from "../../wire/index.ts";
import { addressOf } from "../support/devices.ts";
import { LIBRARIES, libsignal0103 } from "./library.ts";
import { type Bundle, isRefused } from "./party.ts";
import { Peer } from "./peer.ts";
import { ALICE, BOB, flipped, SealedWorld } from "./sealed-world.ts";

const hello = ascii("hello");
const CAROL = addressOf(3);

/** The bundle with one part altered, for every part that the signatures hold together. */
function alterations(bundle: Bundle, foreign: Bundle): readonly (readonly [string, Bundle])[] {
  const { signedPreKey, kyberPreKey } = bundle;
  return [
    ["foreign identity", { ...bundle, identityKey: foreign.identityKey }],
    ["foreign signed prekey", { ...bundle, signedPreKey: { ...signedPreKey, publicKey: foreign.signedPreKey.publicKey } }],
    ["foreign KEM prekey", { ...bundle, kyberPreKey: { ...kyberPreKey, publicKey: foreign.kyberPreKey.publicKey } }],
    ...[0, 31, 32, 63].flatMap((at): readonly (readonly [string, Bundle])[] => [
      [`signature of the signed prekey, byte ${at}`, { ...bundle, signedPreKey: altered(signedPreKey, at) }],
      [`signature of the KEM prekey, byte ${at}`, { ...bundle, kyberPreKey: altered(kyberPreKey, at) }],
    ]),
  ];
}

function altered<Key extends { readonly signature: Bytes }>(key: Key, at: number): Key {
  return { ...key, signature: flipped(key.signature, at) };
}

describe.each(LIBRARIES)("beginnings with $version", (library) => {
  test("an altered bundle begins no session, in either direction", async () => {
    const { ours, theirs } = new SealedWorld(library, 2);
    const carol = new Peer(library, CAROL);
    const foreign = await carol.bundle("with one-time prekeys");
    for (const [what, bundle] of alterations(ours.bundle("with one-time prekeys"), foreign)) {
      expect(await isRefused(() => theirs.begin(ALICE, bundle)), `${what}`).toBe(true);
    }
    for (const [what, bundle] of alterations(await theirs.bundle("with one-time prekeys"), foreign)) {
      expect(() => ours.begin(BOB, bundle), `${what}`).toThrow("refused: bad-signature");
    }
  });

  test("a first message played again opens nothing in either", async () => {
    const { ours, theirs } = new SealedWorld(library, 4);
    ours.begin(BOB, await theirs.bundle("without one-time prekeys"));
    const first = ours.seal(BOB, hello);
    expect(await theirs.open(ALICE, first)).toEqual(hello);
    expect(await isRefused(() => theirs.open(ALICE, first))).toBe(true);
    await theirs.begin(ALICE, ours.bundle("without one-time prekeys"));
    const second = await theirs.seal(ALICE, hello);
    expect(ours.open(BOB, second)).toEqual(hello);
    expect(() => ours.open(BOB, second)).toThrow("refused: duplicate");
  });
});

describe("addresses in first messages, which 0.103.0 writes and checks", () => {
  /** Bob's other device, and another user's device of the same number. */
  const others: readonly DeviceAddress[] = [addressOf(2, 3), addressOf(3, 2)];

  test("of ours: theirs opens the message under the sender's own name only", async () => {
    const { ours, theirs } = new SealedWorld(libsignal0103, 6);
    ours.begin(BOB, await theirs.bundle("without one-time prekeys"));
    const first = ours.seal(BOB, hello);
    for (const name of [addressOf(1, 2), CAROL]) expect(await isRefused(() => theirs.open(name, first))).toBe(true);
    expect(await theirs.open(ALICE, first)).toEqual(hello);
  });

  test("of theirs: ours opens the message under the sender's own name only", async () => {
    const { ours, theirs } = new SealedWorld(libsignal0103, 8);
    await theirs.begin(ALICE, ours.bundle("without one-time prekeys"));
    const first = await theirs.seal(ALICE, hello);
    for (const name of others) expect(() => ours.open(name, first)).toThrow("refused: bad-address");
    expect(ours.open(BOB, first)).toEqual(hello);
  });
});
