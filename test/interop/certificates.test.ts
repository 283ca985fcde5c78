import { describe, expect, test } from "vitest";
import { Authority, NOW_MILLISECONDS } from "./authority.ts";
import { LIBRARIES } from "./library.ts";
import { ALICE, flipped, SealedWorld } from "./sealed-world.ts";

const BOTH = ["ours", "theirs"];
const NOBODY: readonly string[] = [];

describe.each(LIBRARIES)("certificates with $version", (library) => {
  test("each believes the other's until they expire, and not a millisecond longer", () => {
    const world = new SealedWorld(library, 1);
    const expires = NOW_MILLISECONDS + 5000;
    const request = { expiresMilliseconds: expires };
    for (const certificate of [world.oursCertificate(request), world.theirsCertificate(request)]) {
      expect(world.believers(certificate, NOW_MILLISECONDS)).toEqual(BOTH);
      expect(world.believers(certificate, expires)).toEqual(BOTH);
      expect(world.believers(certificate, expires + 1)).toEqual(NOBODY);
    }
  });

  test("of another trust root: believed by neither", () => {
    const world = new SealedWorld(library, 2);
    const stranger = new Authority(world.random);
    const request = { device: ALICE, identityKey: world.ours.identity.publicKey };
    for (const certificate of [stranger.byOurs(request), stranger.byTheirs(request, library)]) {
      expect(world.believers(certificate)).toEqual(NOBODY);
    }
  });

  test("of a server key that is revoked: believed by neither", () => {
    const world = new SealedWorld(library, 3);
    for (const serverKeyId of [0xdeadc357]) {
      expect(world.believers(world.oursCertificate({ serverKeyId }))).toEqual(NOBODY);
      expect(world.believers(world.theirsCertificate({ serverKeyId }))).toEqual(NOBODY);
    }
    expect(world.believers(world.oursCertificate({ serverKeyId: 0xdeadc358 }))).toEqual(BOTH);
  });

  test("with any one byte altered: believed by neither", () => {
    const world = new SealedWorld(library, 4);
    for (const certificate of [world.oursCertificate(), world.theirsCertificate()]) {
      expect(world.believers(certificate)).toEqual(BOTH);
      for (let position = 0; position < certificate.length; position++) {
        expect(world.believers(flipped(certificate, position)), `byte ${position}`).toEqual(NOBODY);
      }
    }
  });
});
