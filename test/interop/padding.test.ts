import { describe, expect, test } from "vitest";
import { sealForMany, sealForOne } from "../../protocol/index.ts";
import { type Bytes, parseRegistrationId, receivedMessage, splitMultiRecipient } from "../../wire/index.ts";
import { LIBRARIES } from "./library.ts";
import { BOB, SealedWorld } from "./sealed-world.ts";

const BUCKETS = [512, 1024, 2048, 4096, 16_384, 65_536];
/** From nothing to what just fits the largest bucket, with every edge of a bucket in between. */
const SIZES = [0, 1, 100, ...BUCKETS.flatMap((bucket) => Array.from({ length: 12 }, (_, i) => bucket - 330 + 6 * i))].filter(
  (size) => size < 65_536 - 330 + 40,
);
const REGISTRATION = parseRegistrationId(1);

describe.each(LIBRARIES)("padding, read by $version", (library) => {
  test("the library opens every padded content to what was sealed, and sees six sizes", async () => {
    const world = new SealedWorld(library, 2);
    const recipients = [{ address: BOB, registrationId: REGISTRATION, identityKey: world.bobsIdentity.publicKey }];
    const v1 = new Set<number>();
    const v2 = new Set<number>();
    for (const size of SIZES) {
      const content: Bytes = new Uint8Array(size).fill(0x61);
      const one = sealForOne(world.sealable(content), world.random);
      const many = splitMultiRecipient(sealForMany({ ...world.sealable(content), recipients }, world.random));
      const [part] = many.recipients.map((recipient) => receivedMessage(many, recipient));
      expect((await world.theirsOpen(world.theirs, one)).content).toEqual(content);
      expect((await world.theirsOpen(world.theirs, part ?? new Uint8Array(0))).content).toEqual(content);
      v1.add(one.length);
      v2.add(part?.length ?? 0);
    }
    expect(v1.size).toBe(BUCKETS.length);
    expect([...v2].map((length) => length - V2_CONSTANT)).toEqual(BUCKETS);
  });
});

/** Version byte, C, AT, e and the tag of the encryption. */
const V2_CONSTANT = 1 + 32 + 16 + 32 + 16;
