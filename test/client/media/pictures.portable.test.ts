// Pictures before they are sent: nothing that was written into them is left but what shows them.

import { ascii, be32, type Bytes, concat, EMPTY, sameBytes } from "#wire";
import { describe, expect, test } from "vitest";
import { plainProfile } from "../../../client/media/pictures/colour-profile.ts";
import { type Picture, preparePicture } from "../../../client/media/pictures/index.ts";
import { deflate, inflate } from "../../../client/media/pictures/zlib.ts";
import * as gif from "../../support/pictures/gif.ts";
import { profile } from "../../support/pictures/icc.ts";
import * as jpeg from "../../support/pictures/jpeg.ts";
import { MARKED } from "../../support/pictures/places.ts";
import * as png from "../../support/pictures/png.ts";
import { exif, MARK, mistypedExif } from "../../support/pictures/tiff.ts";
import * as webp from "../../support/pictures/webp.ts";

const { chunk } = png;

describe("nothing written into a picture is left, its kind and size are told, and a second time changes nothing", () => {
  test.each(MARKED)("$name", async ({ kind, bytes, width, height }) => {
    const picture = await stripped(bytes);
    expect(picture).toMatchObject({ kind, width, height });
    // Also not in the fields of a few bytes
    expect(has(picture.bytes, MARK.slice(0, 4))).toBe(false);
    expect(await stripped(picture.bytes)).toEqual(picture);
  });

  test.each(MARKED)("$name: kept when asked for", async ({ kind, bytes, width, height }) => {
    const picture = await preparePicture(bytes, { keepMetadata: true });
    expect(picture).toEqual({ outcome: "kept", kind, bytes, width, height });
  });
});

test("all of these pictures have the mark in them before", () => {
  expect(MARKED.filter(({ bytes }) => !has(bytes, MARK))).toEqual([]);
});

test("pictures with and without metadata are the same when stripped", async () => {
  const { bytes } = await stripped(jpeg.jpeg());
  for (const content of Object.values(jpeg.SILENT_SEGMENTS)) {
    expect((await stripped(jpeg.jpeg({ before: [content], between: content, after: content }))).bytes).toEqual(bytes);
  }
  expect((await stripped(png.png({ before: Object.values(png.SILENT_CHUNKS) }))).bytes).toEqual(png.png());
  expect((await stripped(webp.webp([webp.lossless(), ...Object.values(webp.SILENT_CHUNKS)]))).bytes).toEqual(webp.webp([webp.lossless()]));
  expect((await stripped(gif.gif({ before: Object.values(gif.SILENT_EXTENSIONS) }))).bytes).toEqual(gif.gif());
});

test("frames of a PNG that is not animated go", async () => {
  const frame = chunk("fdAT", be32(0), ascii(MARK));
  const late = chunk("acTL", be32(2), be32(0));
  expect((await stripped(png.png({ before: [frame], behind: [late, frame, ...png.ANIMATION.behind] }))).bytes).toEqual(png.png());
});

test("a profile keeps its colours, and its texts, machine, day and gaps are gone", () => {
  const plain = plainProfile(profile()) ?? EMPTY;
  expect(has(plain, MARK.slice(0, 4))).toBe(false);
  const [before, after] = [tagsOf(profile()), tagsOf(plain)];
  expect([...after.keys()]).toEqual(["desc", "cprt", "wtpt", "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"]);
  for (const name of ["wtpt", "rXYZ", "gXYZ", "bXYZ"]) expect(after.get(name)).toEqual(before.get(name));
  expect(after.get("rTRC")).toEqual(before.get("rTRC")?.subarray(0, 14));
  // The three curves are one and the same, and stand there once.
  expect(plain.length).toBe(128 + 4 + 9 * 12 + 100 + 16 + 4 * 20 + 16);
  expect(plainProfile(plain)).toEqual(plain);
});

test("of two tags of a name in a profile the first counts", () => {
  const twice = profileOf({ rXYZ: xyz(1), gXYZ: xyz(2) });
  twice.set(ascii("rXYZ"), 128 + 4 + 12);
  const after = tagsOf(plainProfile(twice) ?? EMPTY);
  expect([...after.keys()]).toEqual(["desc", "cprt", "rXYZ"]);
  expect(after.get("rXYZ")).toEqual(xyz(1));
});

test("a profile of every kind of table is kept to the last byte that its type needs", () => {
  const contents: Readonly<Record<string, Bytes>> = {
    kTRC: concat(ascii("curv\0\0\0\0"), be32(3), new Uint8Array(6)),
    rTRC: concat(ascii("para\0\0\0\0"), new Uint8Array([0, 4, 0, 0]), new Uint8Array(28)),
    chad: concat(ascii("sf32\0\0\0\0"), new Uint8Array(36)),
    cicp: concat(ascii("cicp\0\0\0\0"), new Uint8Array([1, 13, 0, 1])),
    A2B0: concat(ascii("mft1\0\0\0\0"), new Uint8Array([3, 3, 2, 0]), new Uint8Array(36 + 3 * 256 + 8 * 3 + 3 * 256)),
    A2B1: concat(
      ascii("mft2\0\0\0\0"),
      new Uint8Array([4, 3, 2, 0]),
      new Uint8Array(36),
      new Uint8Array([0, 2, 0, 5]),
      new Uint8Array(2 * (8 + 48 + 15)),
    ),
  };
  const marked = Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, concat(content, ascii(MARK))]));
  const after = tagsOf(plainProfile(profileOf(marked)) ?? EMPTY);
  expect(Object.fromEntries(after)).toMatchObject(contents);
});

test.each([
  ["an empty one", EMPTY],
  ["one that says it is none", profile().fill(0, 36, 40)],
  ["a part of one", profile().subarray(0, 300)],
  ["a kind of table that nobody knows", profileOf({ rTRC: ascii("what0000") })],
  ["a table larger than memory", profileOf({ A2B0: concat(ascii("mft1\0\0\0\0"), new Uint8Array(100).fill(255)) })],
])("a profile that cannot be read is none: %s", async (_, broken) => {
  expect(plainProfile(broken)).toBeUndefined();
  expect((await stripped(webp.webp([webp.extended(webp.FLAGS.profile), webp.chunk("ICCP", broken), webp.lossless()]))).bytes).toEqual(
    webp.webp([webp.extended(0), webp.lossless()]),
  );
});

test("a profile is in the picture again: in one piece in JPEG, compressed in PNG, announced in WebP", async () => {
  const plain = plainProfile(profile()) ?? EMPTY;
  expect((await stripped(jpeg.jpeg({ before: jpeg.profileSegments(profile(), 3) }))).bytes).toEqual(
    jpeg.jpeg({ before: jpeg.profileSegments(plain, 1) }),
  );
  const { bytes } = await stripped(png.png({ before: [png.profileChunk(profile())] }));
  // The signature, IHDR, the length and type of iCCP, its name and method
  const compressed = bytes.subarray(8 + 25 + 8 + 9, 8 + 25 + 8 + new DataView(bytes.buffer).getUint32(8 + 25));
  expect(await inflate(compressed, 10_000)).toEqual(plain);
  const file = [webp.extended(webp.FLAGS.profile), webp.chunk("ICCP", plain), webp.lossless()];
  expect((await stripped(webp.webp([webp.extended(webp.FLAGS.profile), webp.chunk("ICCP", profile()), webp.lossless()]))).bytes).toEqual(
    webp.webp(file),
  );
});

test("a profile with a piece missing, doubled or miscounted is none", async () => {
  const [first = EMPTY, second = EMPTY] = jpeg.profileSegments(profile(), 2);
  const [one = EMPTY] = jpeg.profileSegments(profile(), 1);
  const [whole = EMPTY] = jpeg.profileSegments(concat(profile(), new Uint8Array(profile().length)), 2);
  for (const before of [[first], [second], [whole, whole], [first, second, second], [one, second]]) {
    expect((await stripped(jpeg.jpeg({ before }))).bytes).toEqual(jpeg.jpeg());
  }
  expect((await stripped(jpeg.jpeg({ before: [second, first] }))).bytes.length).toBeGreaterThan(jpeg.jpeg().length);
});

test("a long profile goes into several pieces", async () => {
  const long = profileOf({ rTRC: concat(ascii("curv\0\0\0\0"), be32(70_000), new Uint8Array(140_000)) });
  const plain = plainProfile(long) ?? EMPTY;
  const { bytes } = await stripped(jpeg.jpeg({ before: jpeg.profileSegments(long, 5) }));
  expect(bytes.length).toBe(jpeg.jpeg().length + plain.length + 3 * 18);
  expect(await stripped(bytes)).toMatchObject({ bytes });
});

test("what turns a picture is 26 bytes, and an upright one has none", async () => {
  const upright = (await stripped(jpeg.jpeg({ before: [jpeg.exifSegment(exif(1))] }))).bytes;
  expect(upright).toEqual(jpeg.jpeg());
  const turned = (await stripped(jpeg.jpeg({ before: [jpeg.exifSegment(exif(6, "little"))] }))).bytes;
  const block = concat(ascii("MM\0*"), be32(8), new Uint8Array([0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]));
  expect(turned).toEqual(jpeg.jpeg({ before: [jpeg.exifSegment(block)] }));
});

test("that colours are YCbCr, and which transform they have, is written anew in as many bytes as it takes", async () => {
  const jfif = jpeg.segment(0xe0, ascii("JFIF\0"), new Uint8Array([1, 2, 0, 0, 1, 0, 1, 0, 0]));
  const transform = jpeg.segment(0xee, ascii("Adobe"), new Uint8Array([0, 100, 0, 0, 0, 0, 2]));
  const { bytes } = await stripped(jpeg.jpeg({ before: [jpeg.adobe(2), jpeg.jfif()] }));
  expect(bytes).toEqual(jpeg.jpeg({ before: [jfif, transform] }));
  // Shorter than they have to be, they say nothing to decoders either.
  const short = [jpeg.segment(0xe0, ascii("JFIF\0\x01\x02")), jpeg.segment(0xee, ascii("Adobe\0d"))];
  expect((await stripped(jpeg.jpeg({ before: short }))).bytes).toEqual(jpeg.jpeg());
});

test("of several blocks of a kind the first counts, and none behind the first scan", async () => {
  const [first, second] = [
    [jpeg.exifSegment(exif(3)), jpeg.adobe(0)],
    [jpeg.exifSegment(exif(6)), jpeg.adobe(1), jpeg.jfif()],
  ];
  const expected = await stripped(jpeg.jpeg({ before: first }));
  expect(await stripped(jpeg.jpeg({ before: [...first, ...second.slice(0, 2)] }))).toEqual(expected);
  expect(await stripped(jpeg.jpeg({ before: first, between: concat(...second) }))).toEqual(expected);
  expect((await stripped(jpeg.jpeg({ between: concat(...second) }))).bytes).toEqual(jpeg.jpeg());
  const [upright, turned] = [png.exifChunk(exif(3)), png.exifChunk(exif(6))];
  expect(await stripped(png.png({ before: [upright, turned] }))).toEqual(await stripped(png.png({ before: [upright] })));
});

test("a marker may have any number of fill bytes before it; they go", async () => {
  const fill = new Uint8Array(5).fill(0xff);
  const whole = jpeg.jpeg();
  const filled = concat(whole.subarray(0, 2), fill, whole.subarray(2, -2), fill, whole.subarray(-2));
  expect((await stripped(filled)).bytes).toEqual(whole);
  // Inside of a scan they are the scan's.
  const restarting = jpeg.jpeg({ restarts: true });
  const restart = restarting.findIndex((byte, at) => byte === 0xff && restarting[at + 1] === 0xd0);
  const inside = concat(restarting.subarray(0, restart), fill, restarting.subarray(restart));
  expect((await stripped(inside)).bytes).toEqual(inside);
});

test("EXIF that cannot be read turns nothing and goes", async () => {
  const whole = exif(6);
  const broken = [
    EMPTY,
    ascii(MARK),
    mistypedExif(),
    whole.subarray(0, 9),
    whole.subarray(0, 30),
    concat(ascii("MM\0*"), be32(0xffff_ffff)),
  ];
  for (const block of broken) {
    expect((await stripped(jpeg.jpeg({ before: [jpeg.exifSegment(block)] }))).bytes).toEqual(jpeg.jpeg());
  }
});

test.each([
  ["nothing", EMPTY],
  ["a text", ascii(MARK)],
  ["a picture behind something else", concat(ascii("x"), png.png())],
  ["a PDF", ascii("%PDF-1.7")],
  ["a picture of a kind that is not cleaned", ascii("II*\0\x08\0\0\0")],
  ["a sound in the same box as WebP", concat(ascii("RIFF"), be32(4), ascii("WAVE"))],
  ["half a signature", png.png().subarray(0, 7)],
])("%s is no picture, and nothing is said about what is in it", async (_, bytes) => {
  expect(await preparePicture(bytes, { keepMetadata: false })).toEqual({ outcome: "unknown" });
  expect(await preparePicture(bytes, { keepMetadata: true })).toEqual({ outcome: "unknown" });
});

const DAMAGED: Readonly<Record<string, Bytes>> = {
  "JPEG: no end": jpeg.jpeg().subarray(0, -2),
  "JPEG: the end inside of a scan": jpeg.jpeg().subarray(0, -9),
  "JPEG: only its first bytes": new Uint8Array([0xff, 0xd8, 0xff]),
  "JPEG: no picture": concat(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]), ascii(MARK)),
  "JPEG: bytes between segments": jpeg.jpeg({ before: [jpeg.jfif(), ascii(MARK)] }),
  "JPEG: a segment shorter than its length": jpeg.jpeg({ before: [new Uint8Array([0xff, 0xfe, 0, 1])] }),
  "JPEG: a segment longer than the file": jpeg.jpeg({ before: [new Uint8Array([0xff, 0xfe, 0xff, 0xff])] }),
  "JPEG: a marker that nobody knows": jpeg.jpeg({ before: [jpeg.segment(0xf7, ascii(MARK))] }),
  "JPEG: a marker that nobody knows, with nothing behind it": jpeg.jpeg({ before: [jpeg.segment(0xf7)] }),
  "JPEG: a scan of ten components": jpeg.jpeg({
    between: jpeg.segment(0xda, new Uint8Array([10]), ascii(MARK), ascii(MARK), new Uint8Array(3)),
  }),
  "JPEG: a frame of ten components": jpeg.jpeg({
    before: [jpeg.segment(0xc0, new Uint8Array([8, 0, 9, 0, 9, 10]), ascii(MARK.repeat(3)))],
  }),
  "JPEG: bytes behind a table": jpeg.jpeg({ before: [jpeg.segment(0xdb, new Uint8Array(65), ascii(MARK))] }),
  "JPEG: a part of a table behind a table": jpeg.jpeg({ before: [jpeg.segment(0xdb, new Uint8Array(65 + 10))] }),
  "JPEG: bytes behind a table of codes": jpeg.jpeg({ before: [jpeg.segment(0xc4, new Uint8Array(17), ascii(MARK))] }),
  "JPEG: a long restart interval": jpeg.jpeg({ before: [jpeg.segment(0xdd, ascii(MARK))] }),
  "JPEG: settings of arithmetic coding that are none": jpeg.jpeg({ before: [jpeg.segment(0xcc, ascii(MARK))] }),
  "JPEG: bytes behind the frame's header": jpeg.jpeg({
    before: [jpeg.segment(0xc0, new Uint8Array([8, 0, 9, 0, 9, 1, 1, 0x11, 0]), ascii(MARK))],
  }),
  "JPEG: two frames": jpeg.jpeg({ before: [jpeg.segment(0xc0, new Uint8Array([8, 0, 9, 0, 9, 1, 1, 0x11, 0]))] }),
  "JPEG: no height": jpeg.jpeg({ before: [jpeg.segment(0xc0, new Uint8Array([8, 0, 0, 0, 9, 1, 1, 0x11, 0]))] }),
  "JPEG: a scan before the frame": jpeg.jpeg({ before: [jpeg.segment(0xda, new Uint8Array([1, 1, 0, 0, 63, 0]))] }),
  "JPEG: bytes behind a scan's header": jpeg.jpeg({ between: jpeg.segment(0xda, new Uint8Array([1, 1, 0, 0, 63, 0]), ascii(MARK)) }),
  "PNG: no end": png.png().subarray(0, -12),
  "PNG: half a chunk": png.png().subarray(0, -1),
  "PNG: no picture": concat(png.png().subarray(0, 33), chunk("IEND")),
  "PNG: no header": concat(png.png().subarray(0, 8), png.png().subarray(33)),
  "PNG: two headers": png.png({ before: [png.png().subarray(8, 33)] }),
  "PNG: a long header": concat(png.png().subarray(0, 8), chunk("IHDR", png.png().subarray(16, 29), ascii(MARK)), png.png().subarray(33)),
  "PNG: no width": concat(png.png().subarray(0, 8), chunk("IHDR", be32(0), png.png().subarray(20, 29)), png.png().subarray(33)),
  "PNG: a chunk without which it cannot be shown": png.png({ before: [chunk("CgBI", ascii(MARK))] }),
  "PNG: a type that is none": png.png({ before: [chunk("te t", ascii(MARK))] }),
  "PNG: a long palette": png.png({ before: [chunk("PLTE", new Uint8Array(771))] }),
  "PNG: a palette of no colours": png.png({ before: [chunk("PLTE", ascii(MARK))] }),
  "PNG: a long transparency": png.png({ before: [chunk("tRNS", ascii(MARK))] }),
  "PNG: a long gamma": png.png({ before: [chunk("gAMA", be32(1), ascii(MARK))] }),
  "PNG: an end with content": concat(png.png().subarray(0, -12), chunk("IEND", ascii(MARK))),
  "PNG: a byte of the picture changed": png.png().fill(1, 50, 51),
  "PNG: a profile compressed in another way": png.png({ before: [chunk("iCCP", ascii("a\0\x01"), png.zlib(profile()))] }),
  "PNG: a profile with a long name": png.png({ before: [chunk("iCCP", new Uint8Array(80).fill(65), ascii("\0\0"), png.zlib(profile()))] }),
  "PNG: a profile without a name": png.png({ before: [chunk("iCCP", new Uint8Array(80).fill(65))] }),
  "PNG: a profile that is not compressed": png.png({ before: [chunk("iCCP", ascii("a\0\0"), profile())] }),
  "PNG: bytes behind the profile": png.png({ before: [chunk("iCCP", ascii("a\0\0"), png.zlib(profile()), ascii(MARK))] }),
  "WebP: longer than the file": webp.webp([webp.lossless()]).subarray(0, -2),
  "WebP: no picture": webp.webp([]),
  "WebP: only the size": webp.webp([webp.extended(0)]),
  "WebP: a picture without its signature": webp.webp([webp.chunk("VP8L", ascii(MARK))]),
  "WebP: a picture without its start": webp.webp([webp.chunk("VP8 ", ascii(MARK))]),
  "WebP: something else first": webp.webp([webp.chunk("NOTE", ascii(MARK)), webp.lossless()]),
  "WebP: a long header": webp.webp([webp.chunk("VP8X", ascii(`\0\0\0\0\0\0\0\0\0\0${MARK}`)), webp.lossless()]),
  "WebP: another size than it says": webp.webp([webp.chunk("VP8X", ascii("\0\0\0\0\x01\0\0\x01\0\0")), webp.lossless()]),
  "WebP: a type that is none": webp.webp([webp.extended(0), webp.lossless(), webp.chunk("\0\0\0\0", ascii(MARK))]),
  "WebP: an animation without frames": webp.webp([webp.extended(webp.FLAGS.animation), webp.animation, webp.lossless()]),
  "WebP: an animation without settings": webp.webp([webp.extended(webp.FLAGS.animation), webp.frame(webp.lossless())]),
  "WebP: a frame without a picture": webp.webp([webp.extended(webp.FLAGS.animation), webp.animation, webp.frame(ascii(MARK))]),
  "WebP: a frame of another size than it says": webp.webp([
    webp.extended(webp.FLAGS.animation),
    webp.animation,
    webp.chunk("ANMF", new Uint8Array(16), webp.lossless()),
  ]),
  "GIF: no end": gif.gif().subarray(0, -1),
  "GIF: no picture": concat(gif.gif().subarray(0, 25), ascii(";"), ascii(MARK)),
  "GIF: no width": gif.gif().fill(0, 6, 8),
  "GIF: a block that nobody knows": gif.gif({ behind: [ascii(MARK)] }),
  "GIF: a long control block": gif.gif({ before: [gif.extension(0xf9, ascii(MARK))] }),
  "GIF: a control block with more behind it": gif.gif({ before: [gif.extension(0xf9, new Uint8Array(4), ascii(MARK))] }),
};

describe("what is damaged, or has parts that are not known here, is not sent as if it were clean", () => {
  test.each(Object.entries(DAMAGED))("%s", async (name, bytes) => {
    const kind = name.split(":", 1)[0]?.toLowerCase();
    expect(await preparePicture(bytes, { keepMetadata: false })).toEqual({ outcome: "damaged", kind });
    expect(await preparePicture(bytes, { keepMetadata: true })).toEqual({ outcome: "damaged", kind });
  });
});

test("a compressed profile that would grow beyond all measure is damage", async () => {
  const bomb = await deflate(new Uint8Array(8 * 1024 * 1024));
  const bytes = png.png({ before: [chunk("iCCP", ascii("a\0\0"), bomb)] });
  expect(bytes.length).toBeLessThan(20_000);
  expect(await preparePicture(bytes, { keepMetadata: false })).toEqual({ outcome: "damaged", kind: "png" });
});

test("a picture with losses keeps its transparency, one without has it inside", async () => {
  const { FLAGS, alpha, extended, lossless, lossy } = webp;
  const file = webp.webp([extended(FLAGS.alpha), alpha, lossy]);
  expect((await stripped(file)).bytes).toEqual(file);
  expect((await stripped(webp.webp([extended(FLAGS.alpha), alpha, lossless()]))).bytes).toEqual(
    webp.webp([extended(FLAGS.alpha), lossless()]),
  );
  expect((await stripped(webp.webp([lossy]))).bytes).toEqual(webp.webp([lossy]));
});

test("what a WebP's flags do not announce is not there, and what its flags announce and is not there is announced no more", async () => {
  const { FLAGS, extended, lossless } = webp;
  const extras = [webp.chunk("ICCP", profile()), lossless(), webp.chunk("EXIF", exif(3))];
  const plain = webp.webp([extended(0), lossless()]);
  expect((await stripped(webp.webp([extended(0), ...extras]))).bytes).toEqual(plain);
  expect((await stripped(webp.webp([extended(FLAGS.profile | FLAGS.exif | FLAGS.xmp | 0xc1), lossless()]))).bytes).toEqual(plain);
});

test("the bytes that are read are left as they were, and what comes out shares no memory with them", async () => {
  for (const { bytes } of MARKED) {
    const before = bytes.slice();
    const picture = await stripped(bytes);
    expect(bytes).toEqual(before);
    expect(picture.bytes.buffer).not.toBe(bytes.buffer);
  }
});

async function stripped(bytes: Bytes): Promise<Picture> {
  const { outcome, ...picture } = await preparePicture(bytes, { keepMetadata: false });
  if (outcome !== "stripped" || !("bytes" in picture)) throw new Error(`the picture is ${outcome}`);
  return picture;
}

function has(bytes: Bytes, text: string): boolean {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (sameBytes(bytes.subarray(at, at + text.length), ascii(text))) return true;
  }
  return false;
}

function xyz(value: number): Bytes {
  return concat(ascii("XYZ \0\0\0\0"), new Uint8Array(12).fill(value));
}

/** A profile with these tags and nothing else. */
function profileOf(contents: Readonly<Record<string, Bytes>>): Bytes {
  const entries = Object.entries(contents);
  let end = 128 + 4 + 12 * entries.length;
  const table = entries.map(([name, content]) => {
    const entry = concat(ascii(name), be32(end), be32(content.length));
    end += content.length;
    return entry;
  });
  return concat(profile().subarray(0, 128), be32(entries.length), ...table, ...Object.values(contents));
}

function tagsOf(bytes: Bytes): Map<string, Bytes> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tags = new Map<string, Bytes>();
  for (let at = 132; tags.size < view.getUint32(128); at += 12) {
    const begin = view.getUint32(at + 4);
    tags.set(String.fromCharCode(...bytes.subarray(at, at + 4)), bytes.subarray(begin, begin + view.getUint32(at + 8)));
  }
  return tags;
}
