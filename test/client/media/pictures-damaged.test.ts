// Arbitrary bytes and damaged pictures: each is refused by name or cleaned, and no mark is left in what is called clean.

import { ascii, type Bytes, concat } from "#wire";
import { expect, test } from "vitest";
import { type PreparedPicture, preparePicture } from "../../../client/media/pictures/index.ts";
import { mutate } from "../../support/mutate.ts";
import * as gif from "../../support/pictures/gif.ts";
import { profile } from "../../support/pictures/icc.ts";
import * as jpeg from "../../support/pictures/jpeg.ts";
import { MARKED } from "../../support/pictures/places.ts";
import * as png from "../../support/pictures/png.ts";
import { exif, MARK } from "../../support/pictures/tiff.ts";
import * as webp from "../../support/pictures/webp.ts";
import { type Dice, seededDice, seededRandom } from "../../support/random.ts";

test("20,000 damaged pictures are refused or cleaned", async () => {
  const dice = seededDice(1);
  const { stripped, damaged, unknown, marked } = await counted(20_000, () => mutate(dice.pick(MARKED).bytes, dice));
  expect(stripped).toBeGreaterThan(5_000);
  expect(damaged).toBeGreaterThan(5_000);
  expect(unknown).toBeGreaterThan(1_000);
  // Where damage takes away the end of a compressed picture, what follows becomes part of it, and nothing but a decoder could
  // tell. It takes a rare accident, and cannot happen in PNG, whose parts are each checked.
  expect(marked.length).toBeLessThan(10);
  expect(marked).not.toContain("png");
});

test("a picture cut off at any byte is damaged", async () => {
  const pictures = { jpeg: jpeg.jpeg({ restarts: true }), png: png.png(), webp: webp.webp([webp.lossless()]), gif: gif.gif() };
  for (const [kind, bytes] of Object.entries(pictures)) {
    for (let length = 12; length < bytes.length; length++) {
      expect(await preparePicture(bytes.slice(0, length), { keepMetadata: false })).toEqual({ outcome: "damaged", kind });
    }
  }
});

test("5,000 times noise behind the first bytes of a picture is refused or taken for compressed picture", async () => {
  const dice = seededDice(2);
  const random = seededRandom(2);
  const beginnings = [jpeg.jpeg(), png.png(), webp.webp([webp.lossless()]), gif.gif()];
  const { damaged, marked } = await counted(5_000, () => {
    const beginning = dice.pick(beginnings);
    return concat(beginning.subarray(0, 13 + dice.roll(beginning.length - 13)), random(dice.roll(200)));
  });
  expect(damaged).toBeGreaterThan(4_000);
  expect(marked).toEqual([]);
});

test("2,000 pictures with their parts in any order, doubled and left out, are refused or cleaned", async () => {
  const dice = seededDice(3);
  const { stripped, damaged, marked } = await counted(2_000, () => dice.pick([anyJpeg, anyPng, anyWebp, anyGif])(dice));
  expect(stripped).toBeGreaterThan(800);
  expect(damaged).toBeGreaterThan(200);
  expect(marked).toEqual([]);
});

type Counts = Record<PreparedPicture["outcome"], number> & {
  /** The kinds of those that are called clean and have a mark in them. */
  readonly marked: string[];
};

/** What is called clean is so the second time as well. */
async function counted(times: number, make: () => Bytes): Promise<Counts> {
  const counts: Counts = { stripped: 0, kept: 0, damaged: 0, unknown: 0, marked: [] };
  for (let i = 0; i < times; i++) {
    const picture = await preparePicture(make(), { keepMetadata: false });
    counts[picture.outcome]++;
    if (picture.outcome !== "stripped") continue;
    if (Buffer.from(picture.bytes).includes(MARK)) counts.marked.push(picture.kind);
    const again = await preparePicture(picture.bytes, { keepMetadata: false });
    expect(again.outcome === "stripped" && Buffer.compare(again.bytes, picture.bytes) === 0).toBe(true);
  }
  return counts;
}

function some(dice: Dice, parts: readonly Bytes[]): Bytes[] {
  return Array.from({ length: dice.roll(6) }, () => dice.pick(parts));
}

function anyJpeg(dice: Dice): Bytes {
  const known = [jpeg.jfif(), jpeg.adobe(dice.roll(3)), jpeg.exifSegment(exif(dice.roll(10))), ...jpeg.profileSegments(profile())];
  const tables = [jpeg.segment(0xdb, new Uint8Array(65).fill(dice.roll(256), 1)), jpeg.segment(0xdd, new Uint8Array(2))];
  const parts = [...Object.values(jpeg.SILENT_SEGMENTS), ...known, ...tables];
  if (dice.chance(0.2)) parts.push(new Uint8Array([0xff]), new Uint8Array([0]), jpeg.jpeg());
  return jpeg.jpeg({ before: some(dice, parts), between: concat(...some(dice, parts)), after: concat(...some(dice, parts)) });
}

function anyPng(dice: Dice): Bytes {
  const known = [png.profileChunk(profile()), png.exifChunk(exif(dice.roll(10))), ...png.COLOUR_CHUNKS];
  const parts = [...Object.values(png.SILENT_CHUNKS), ...known, ...png.ANIMATION.before, ...png.ANIMATION.behind];
  if (dice.chance(0.2))
    parts.push(png.chunk("PLTE", new Uint8Array(3)), png.chunk("PLTE", ascii(MARK)), png.chunk("tRNS", new Uint8Array(6)));
  return png.png({ before: some(dice, parts), behind: some(dice, parts), after: concat(...some(dice, parts)), indexed: dice.chance(0.3) });
}

function anyWebp(dice: Dice): Bytes {
  const { alpha, animation, extended, frame, lossless, lossy } = webp;
  const marked = [webp.chunk("ICCP", profile()), webp.chunk("EXIF", exif(dice.roll(10))), ...Object.values(webp.SILENT_CHUNKS)];
  const images = [lossless(), lossy, alpha];
  const parts = [...marked, ...images, animation, frame(...some(dice, [...marked, ...images]))];
  const first = dice.chance(0.8) ? [extended(dice.roll(64))] : [];
  return webp.webp([...first, ...some(dice, parts), dice.pick(images), ...some(dice, parts)], concat(...some(dice, parts)));
}

function anyGif(dice: Dice): Bytes {
  const parts = [...Object.values(gif.SILENT_EXTENSIONS), gif.control, gif.loops, gif.frame(1)];
  if (dice.chance(0.2)) parts.push(ascii(MARK), gif.extension(0xf9, new Uint8Array(4), ascii(MARK)));
  return gif.gif({ before: some(dice, parts), behind: some(dice, parts), after: concat(...some(dice, parts)) });
}
