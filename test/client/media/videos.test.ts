// Videos before they are sent: written anew in place, of the tracks that are seen and heard. The samples in them are made up; real ones
// are shown in a browser.

import { ascii, be32, type Bytes, concat, EMPTY, fromHex, sameBytes } from "#wire";
import { describe, expect, test } from "vitest";
import { preparePicture } from "../../../client/media/pictures/index.ts";
import { overlap, Ranges } from "../../../client/media/videos/ranges.ts";
import { isVideo, type PreparedVideo, prepareVideo } from "../../../client/media/videos/index.ts";
import { mutate } from "../../support/mutate.ts";
import { box, changed, find, full, lastBox, longBox, zeros } from "../../support/pictures/boxes.ts";
import { MARK } from "../../support/pictures/tiff.ts";
import { type Dice, seededDice } from "../../support/random.ts";
import * as videos from "../../support/videos.ts";
import phones from "../../vectors/phones.json" with { type: "json" };

const { heard, seen } = videos.TRACKS;
const shown = [...seen.samples, ...heard.samples];

describe("nothing written into a video is left but what is seen and heard, where it was", () => {
  test.each([
    ["the data first, as phones write", videos.marked()],
    ["the descriptions first", videos.marked({ first: "moov" })],
    ["QuickTime without brands", videos.marked({ brand: "" })],
    ["data with a long size", long(videos.video({ before: [box("wide")] }))],
  ])("%s", async (_, original) => {
    const bytes = original.slice();
    expect(has(bytes, MARK)).toBe(true);
    const { content, ...rest } = await stripped(bytes);
    expect(rest).toEqual({ outcome: "stripped", mime: "video/quicktime", width: videos.WIDTH, height: videos.HEIGHT });
    expect(has(content, MARK.slice(0, 4))).toBe(false);
    for (const sample of shown) {
      const at = find(bytes, text(sample));
      expect(sameBytes(content.subarray(at, at + sample.length), sample)).toBe(true);
    }
    expect(has(content, "second 1")).toBe(false);
    expect(has(content, "settings of a decoder")).toBe(true);
    expect((await stripped(content)).content).toEqual(content);
  });

  test("fragments", async () => {
    const bytes = videos.fragmented({ samples: seen.samples });
    expect(has(bytes, MARK)).toBe(true);
    const { content, mime, width } = await stripped(bytes);
    expect({ mime, width }).toEqual({ mime: "video/mp4", width: videos.WIDTH });
    expect(has(content, MARK.slice(0, 4))).toBe(false);
    for (const sample of seen.samples) expect(find(content, text(sample))).toBe(find(bytes, text(sample)));
    expect((await stripped(content)).content).toEqual(content);
  });
});

describe("what real programs have written keeps its samples and loses the rest", () => {
  test.each(phones.cases)("$name", async ({ mime, bytes: hex }) => {
    const bytes = fromHex(hex);
    expect(has(bytes, MARK)).toBe(true);
    const picture = await preparePicture(bytes, { keepMetadata: false });
    const content = picture.outcome === "stripped" ? picture.bytes : (await stripped(bytes)).content;
    expect(picture.outcome === "stripped" ? `image/${picture.kind}` : (await stripped(bytes)).mime).toBe(mime);
    expect(has(content, "GPS")).toBe(false);
    expect(has(content, "+48.1")).toBe(false);
  });
});

test("a video with and without marks in its samples' gaps is the same when stripped", async () => {
  const bytes = videos.marked();
  const other = replaced(bytes, MARK, "XXX-XXXXXX");
  expect(has(other, MARK)).toBe(false);
  expect((await stripped(other)).content).toEqual((await stripped(bytes)).content);
});

test("a turned video has the size that is shown, one that is turned by less has none, and a recording has none", async () => {
  const size = async (...tracks: readonly videos.TrackOptions[]) => {
    const { width, height, mime } = await stripped(videos.video({ tracks, brand: "isom" }));
    return [width, height, mime];
  };
  expect(await size({ ...seen, matrix: videos.TURNED })).toEqual([videos.HEIGHT, videos.WIDTH, "video/mp4"]);
  expect(await size({ ...seen, matrix: zeros(36).fill(1) })).toEqual([0, 0, "video/mp4"]);
  expect(await size(heard)).toEqual([0, 0, "audio/mp4"]);
});

test.each([
  ["mp42", "mp42", "video/mp4"],
  ["XAVC", "isom", "video/mp4"],
  ["3gp4", "3gp4", "video/3gpp"],
  ["avis", "avis", "image/avif"],
  ["msf1", "msf1", "image/heic-sequence"],
])("the brand %s becomes %s, and others that are not many's the same", async (brand, plain, mime) => {
  const video = await stripped(videos.video({ brand }));
  expect(video.mime).toBe(mime);
  expect(text(video.content.subarray(4, 28))).toBe(`ftyp${plain}\0\0\0\0${plain}${plain}isom`);
});

test("a file is one by its first bytes", () => {
  expect(isVideo(videos.video())).toBe(true);
  expect(isVideo(box("moov"))).toBe(true);
  for (const bytes of [EMPTY, ascii("ftyp"), ascii("%PDF-1.7 ..."), ascii("a moo and a meow")]) expect(isVideo(bytes)).toBe(false);
});

const all = videos.video();
const table = (name: string, at: number, value: number): Bytes => changed(all, find(all, name) + at, be32(value));
const entry = (type: string): Bytes => videos.video({ tracks: [{ ...seen, entry: videos.videoEntry(type) }] });

const DAMAGED: Readonly<Record<string, Bytes>> = {
  nothing: box("ftyp", ascii("isom"), be32(0)),
  "no descriptions": concat(box("ftyp", ascii("isom"), be32(0)), box("mdat", ascii(MARK))),
  "two descriptions": concat(all, box("moov", ascii(MARK))),
  "two lists of brands": concat(all, box("ftyp", ascii("isom"), be32(0)), box("mdat")),
  "no track that is seen or heard": videos.video({ tracks: [videos.TRACKS.places] }),
  "two tracks of one number": videos.video({ tracks: [seen, { ...heard, id: seen.id }] }),
  "samples that nobody here knows": entry("CRAW"),
  "encrypted samples": entry("encv"),
  "pictures with EXIF in them": entry("jpeg"),
  "samples in another file": changed(all, find(all, "alis", find(all, "dref")) + 4, be32(0)),
  "two tables of one kind": videos.video({ tracks: [{ ...seen, tables: [full("stts", 0, 0, be32(0)), full("stts", 0, 0, be32(0))] }] }),
  "a table longer than its box": table("stts", 8, 0x7fff_ffff),
  "a table of a version that nobody knows": table("stts", 4, 0x0900_0000),
  "a chunk beyond the end": videos.video({ place: (at) => at + 0x1000_0000 }),
  "chunks of which one lies in the descriptions": videos.video({ place: (at, { id }) => (id === 1 ? 8 : at) }),
  "a chunk with places in it": videos.video({ place: (at, { id }) => (id === 2 ? at + 12 : at) }),
  "more samples in chunks than there are": table("stsc", 16, 1000),
  "runs of chunks in a wrong order": table("stsc", 12, 2),
  "a run of a chunk that is not there": table("stsc", 24, 77),
  "bytes behind the last box that claim to be one": concat(all, ascii(MARK)),
  "a box longer than the file": concat(all, be32(0xff), ascii("free")),
  "a box shorter than a box": concat(all, be32(7), ascii("free"), ascii(MARK)),
  "a size of 64 bits larger than any file": concat(all, be32(1), ascii("free"), be32(0xffff_ffff), be32(0xffff_ffff)),
  "a size of 0 inside of a box": videos.video({ more: [lastBox("udta", ascii(MARK))] }),
  "a fragment that begins where another track ends": concat(
    videos.fragmented({ samples: seen.samples }),
    box("moof", box("traf", full("tfhd", 0, 0x02_0000, be32(9))), box("traf", full("tfhd", 0, 0, be32(1)), full("trun", 0, 0, be32(1)))),
  ),
  "a fragment beyond the end": videos.fragmented({ samples: seen.samples, offset: () => 0x0fff_ffff }),
  "a fragment before the beginning": videos.fragmented({ samples: seen.samples, offset: () => -0x0fff_ffff }),
  "a fragment with descriptions in it": videos.fragmented({ samples: seen.samples, offset: () => 0 }),
};

describe("what is damaged, or has parts that are not known here, is not sent as if it were clean", () => {
  test.each(Object.entries(DAMAGED))("%s", async (_, bytes) => {
    expect(await prepared(bytes)).toEqual({ outcome: "damaged" });
  });
});

test("a file cut off at any byte is damaged, until only what nobody needs is missing", async () => {
  const bytes = videos.marked();
  const needed = find(bytes, "moov") - 4;
  for (let length = 8; length <= needed; length += 3) expect((await prepared(bytes.slice(0, length))).outcome).toBe("damaged");
});

test("boxes in boxes without end, a million of them, and descriptions larger than any are refused, and soon", async () => {
  let deep = box("udta");
  for (let i = 0; i < 2_000; i++) deep = box("meta", deep);
  // What is not known is not entered.
  expect((await prepared(videos.video({ more: [deep] }))).outcome).toBe("stripped");
  const many = concat(...Array.from({ length: 60_000 }, () => box("free")));
  const huge = zeros(16 * 1024 * 1024);
  for (const bytes of [concat(many, all), videos.video({ more: [many] }), videos.video({ more: [box("free", huge)] })]) {
    expect(await prepared(bytes)).toEqual({ outcome: "damaged" });
  }
  // Samples that take no bytes, four billion of them in each of a hundred thousand chunks.
  const places = full("stco", 0, 0, be32(100_000), zeros(400_000));
  const empty = [full("stsz", 0, 0, be32(0), be32(0)), full("stsc", 0, 0, be32(1), be32(1), be32(0xffff_ffff), be32(1)), places];
  const lying = videos.video({ tracks: [seen] });
  const at = find(lying, "stbl") - 4;
  expect((await prepared(concat(lying.subarray(0, at), box("stbl", ...empty), lying.subarray(at)))).outcome).toBe("damaged");
});

test("of a video nothing is read but the first bytes of boxes and the descriptions", async () => {
  const bytes = videos.video({ before: [box("free", zeros(1_000_000))], tracks: [{ ...seen, perChunk: 1, samples: [zeros(3_000_000)] }] });
  let most = 0;
  let total = 0;
  const video = await prepareVideo(new Blob([bytes]), async (stretch) => {
    most = Math.max(most, stretch.size);
    total += stretch.size;
    return new Uint8Array(await stretch.arrayBuffer());
  });
  expect(video.outcome).toBe("stripped");
  expect(most).toBeLessThan(3_000);
  expect(total).toBeLessThan(4_000);
});

test("stretches are put together as a list of bytes would be", () => {
  const dice = seededDice(21);
  for (let round = 0; round < 200; round++) {
    const lists = [0, 1].map(() => {
      const ranges = new Ranges(100);
      const bytes = new Set<number>();
      for (let i = dice.roll(12); i > 0; i--) {
        const [from, length] = [dice.roll(80), dice.roll(20)];
        ranges.add(from, length);
        for (let at = from; at < from + length; at++) bytes.add(at);
      }
      const together = ranges.together();
      const covered = together.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(covered).toEqual([...bytes].toSorted((a, b) => a - b));
      return { together, bytes };
    });
    const [one, other] = lists;
    if (one === undefined || other === undefined) throw new Error("there are two");
    expect(overlap(one.together, other.together)).toBe([...one.bytes].some((at) => other.bytes.has(at)));
  }
});

test("1,000 damaged videos are refused or cleaned, and what is called clean is so the second time as well", async () => {
  const dice = seededDice(12);
  const originals = [videos.marked(), videos.marked({ first: "moov" }), videos.fragmented({ samples: seen.samples })];
  const counts = await counted(1_000, () => mutate(dice.pick(originals), dice));
  expect(counts.stripped).toBeGreaterThan(200);
  expect(counts.damaged).toBeGreaterThan(200);
  // A table that says of a sample that it is longer, or elsewhere, takes for a sample what lies beside it.
  expect(counts.marked).toBeLessThan(10);
});

test("300 trees of boxes, in any order and number, are refused or cleaned of every mark", async () => {
  const dice = seededDice(13);
  const counts = await counted(300, () => anyVideo(dice));
  expect(counts.stripped).toBeGreaterThan(100);
  expect(counts.damaged).toBeGreaterThan(10);
  expect(counts.marked).toBe(0);
});

/** Boxes of any type, also of those that are known, with marks in them, where nothing or something is expected. */
function anyVideo(dice: Dice): Bytes {
  const types = "udta meta uuid free mvhd trak tkhd mdia minf stbl stsd tref edts mvex moof wave colr note".split(" ");
  const tree = (depth: number): Bytes => {
    const inside = depth === 0 || dice.chance(0.3) ? ascii(MARK) : concat(...some(dice, () => tree(depth - 1)));
    return dice.chance(0.1) ? longBox(dice.pick(types), inside) : box(dice.pick(types), inside);
  };
  const extra = (): Bytes => (dice.chance(0.9) ? box(dice.pick(["udta", "uuid", "note", "free"]), tree(3)) : tree(3));
  const tracks = Object.values(videos.TRACKS).map((track) => ({ ...track, more: some(dice, extra) }));
  return videos.video({
    tracks: tracks.filter(() => dice.chance(0.8)),
    more: some(dice, extra),
    before: some(dice, extra),
    behind: some(dice, extra),
    first: dice.pick(["moov", "mdat"]),
  });
}

function some(dice: Dice, make: () => Bytes): Bytes[] {
  return Array.from({ length: dice.roll(3) }, make);
}

async function counted(times: number, make: () => Bytes): Promise<{ stripped: number; damaged: number; marked: number }> {
  const counts = { stripped: 0, damaged: 0, marked: 0 };
  for (let i = 0; i < times; i++) {
    const video = await prepared(make());
    counts[video.outcome]++;
    if (video.outcome !== "stripped") continue;
    const content = new Uint8Array(await video.content.arrayBuffer());
    if (has(content, MARK)) counts.marked++;
    expect(sameBytes((await stripped(content)).content, content)).toBe(true);
  }
  return counts;
}

async function prepared(bytes: Bytes): Promise<PreparedVideo> {
  return await prepareVideo(new Blob([bytes]), async (stretch) => new Uint8Array(await stretch.arrayBuffer()));
}

async function stripped(bytes: Bytes) {
  const video = await prepared(bytes);
  if (video.outcome !== "stripped") throw new Error("the video is damaged");
  return { ...video, content: new Uint8Array(await video.content.arrayBuffer()) };
}

/** Its data in a box with a long header, which takes the place of an empty one before it. */
function long(bytes: Bytes): Bytes {
  const at = find(bytes, "wide") - 4;
  const end = at + 8 + new DataView(bytes.buffer).getUint32(at + 8);
  return concat(bytes.subarray(0, at), longBox("mdat", bytes.subarray(at + 16, end)), bytes.subarray(end));
}

function replaced(bytes: Bytes, one: string, other: string): Bytes {
  const copy = bytes.slice();
  for (const { index } of text(bytes).matchAll(new RegExp(one, "g"))) copy.set(ascii(other), index);
  return copy;
}

function text(bytes: Bytes): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function has(bytes: Bytes, wanted: string): boolean {
  const first = wanted.charCodeAt(0);
  const whole = ascii(wanted);
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (sameBytes(bytes.subarray(at, at + whole.length), whole)) return true;
  }
  return false;
}
