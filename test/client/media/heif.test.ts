// HEIC and AVIF before they are sent: built anew, of what shows them. The pictures in them are made up; real ones are decoded in
// a browser.

import { ascii, be16, be32, type Bytes, concat, EMPTY } from "#wire";
import { describe, expect, test } from "vitest";
import { type Picture, preparePicture } from "../../../client/media/pictures/index.ts";
import { box, changed, find, full, lastBox, longBox, zeros } from "../../support/pictures/boxes.ts";
import * as heif from "../../support/pictures/heif.ts";
import { mutate } from "../../support/mutate.ts";
import { MARK } from "../../support/pictures/tiff.ts";
import { seededDice } from "../../support/random.ts";

test("nothing written into a HEIC is left but its tiles, its transparency and how they are shown", async () => {
  expect(has(heif.marked(), MARK)).toBe(true);
  const picture = await stripped(heif.marked());
  // Turned by a quarter
  expect(picture).toMatchObject({ kind: "heic", width: heif.HEIGHT, height: heif.WIDTH });
  expect(has(picture.bytes, MARK.slice(0, 4))).toBe(false);
  for (const { type, content } of heif.SHOWN) if (type === "hvc1") expect(has(picture.bytes, text(content))).toBe(true);
  for (const type of ["Exif", "mime", "uri ", "cdsc", "thmb", "uuid", "udta", "grpl", "free", "moov", "mpvd", "udes"]) {
    expect(has(picture.bytes, type)).toBe(false);
  }
  expect(await stripped(picture.bytes)).toEqual(picture);
});

test("a HEIC with and without all that is the same when stripped, and kept as it is when asked for", async () => {
  expect((await stripped(heif.marked())).bytes).toEqual((await stripped(heif.heif())).bytes);
  const bytes = heif.marked();
  expect(await preparePicture(bytes, { keepMetadata: true })).toEqual({ outcome: "kept", kind: "heic", bytes, width: 48, height: 64 });
});

test.each([
  ["heic", "heic"],
  ["heix", "heic"],
  ["mif1", "heic"],
  ["avif", "avif"],
])("what begins as %s is %s", async (brand, kind) => {
  const picture = await stripped(heif.marked({ brand }));
  expect(picture.kind).toBe(kind);
  expect(text(picture.bytes.subarray(4, 12))).toBe(`ftyp${brand}`);
});

test("a picture of one piece, without tiles, with its data in a box to the end of the file or with a long size", async () => {
  const single = { items: heif.SHOWN.slice(3), references: [], primary: 4 };
  const bytes = heif.heif(single);
  const { width, height, bytes: expected } = await stripped(bytes);
  expect({ width, height }).toEqual({ width: heif.WIDTH, height: heif.HEIGHT });
  const at = find(bytes, "mdat") - 4;
  expect((await stripped(concat(bytes.subarray(0, at), lastBox("mdat", bytes.subarray(at + 8))))).bytes).toEqual(expected);
  const long = heif.heif({ ...single, place: (_, place, length) => [place + 8, length] });
  expect((await stripped(concat(long.subarray(0, at), longBox("mdat", long.subarray(at + 8))))).bytes).toEqual(expected);
});

const [tile, other, grid, alpha] = heif.SHOWN.map((item) => ({ ...item }));
if (tile === undefined || other === undefined || grid === undefined || alpha === undefined) throw new Error("four items show it");
const all = heif.marked();
const meta = find(all, "meta");

const DAMAGED: Readonly<Record<string, Bytes>> = {
  "only its first bytes": all.subarray(0, 16),
  "no descriptions": concat(box("ftyp", ascii("heic"), be32(0)), box("mdat", ascii(MARK))),
  "two descriptions": concat(all, heif.heif().subarray(24)),
  "no primary item": heif.heif({ primary: 99 }),
  "a part of it is not there": heif.heif({ items: [tile, grid, alpha] }),
  "a picture of a kind that nobody knows": heif.heif({ items: [{ ...tile, type: "jpeg" }, other, grid, alpha] }),
  "something without which it must not be shown": heif.heif({
    items: [{ ...tile, properties: [0x81, 2, 0x89] }, other, grid, alpha],
  }),
  "a property that is not there": heif.heif({ items: [{ ...tile, properties: [77] }, other, grid, alpha] }),
  "a description shorter than it is": heif.heif({ properties: [EMPTY, ...heif.PROPERTIES].map((own, i) => (i === 3 ? box("ispe") : own)) }),
  "no size": heif.heif({ items: [tile, other, { ...grid, properties: [5] }, alpha] }),
  "more behind the description of tiles": heif.heif({
    items: [tile, other, { ...grid, content: concat(grid.content, ascii(MARK)) }, alpha],
  }),
  "more tiles than there are": heif.heif({ items: [tile, other, { ...grid, content: new Uint8Array([0, 0, 5, 5, 0, 9, 0, 9]) }, alpha] }),
  "a picture that is made of itself": heif.heif({ references: [heif.reference("dimg", 3, 3, 3)] }),
  "two lists of tiles": heif.heif({ references: [...heif.REFERENCES, heif.reference("dimg", 3, 1, 2)] }),
  "two items of a number": heif.heif({ items: [...heif.SHOWN, tile] }),
  "data beyond the end": heif.heif({ place: (id, at, length) => [id === 1 ? 0x7fff_ffff : at, length] }),
  "data longer than the file": heif.heif({ place: (id, at, length) => [at, id === 1 ? 0xffff_ffff : length] }),
  "data without a length": heif.heif({ place: (id, at, length) => [at, id === 1 ? 0 : length] }),
  "data in another box than that of data": heif.heif({ place: (id, at, length) => [id === 1 ? 8 : at, length] }),
  "data that is EXIF as well": heif.marked({ place: (id, at, length) => [at, id === 13 || id === 1 ? length + 200 : length] }),
  "the same data again and again": heif.heif({
    items: heif.SHOWN,
    place: (id, at, length) => (id === 3 ? [at, length] : [0, 600]),
  }),
  "bytes behind the last box": concat(heif.heif(), ascii("GPS")),
  "a box longer than the file": concat(heif.heif(), be32(0xff), ascii("free")),
  "a box shorter than a box": concat(heif.heif(), be32(7), ascii("free"), ascii(MARK)),
  "a size of 64 bits larger than any file": concat(heif.heif(), be32(1), ascii("free"), be32(0xffff_ffff), be32(0xffff_ffff)),
  "a size of 0 inside of a box": heif.heif({ within: [lastBox("free", ascii(MARK))] }),
  "another version of the descriptions": changed(all, meta + 4, new Uint8Array([9])),
  "descriptions of something else": changed(all, find(all, "pict"), ascii("soun")),
};

describe("what is damaged, or has parts that are not known here, is not sent as if it were clean", () => {
  test.each(Object.entries(DAMAGED))("%s", async (_, bytes) => {
    for (const keepMetadata of [false, true]) {
      expect(await preparePicture(bytes, { keepMetadata })).toEqual({ outcome: "damaged", kind: "heic" });
    }
  });
});

test("a million entries, extents, references and boxes are refused, and soon", async () => {
  const million = 1_000_000;
  const rest = (type: string, content: Bytes): Bytes =>
    concat(box("ftyp", ascii("heic"), be32(0)), full("meta", 0, 0, full("hdlr", 0, 0, zeros(4), ascii("pict")), box(type, content)));
  const extents = concat(be32(0x0100_0000), new Uint8Array([0x44, 0]), be16(50), zeros(8 * million));
  const many = concat(...Array.from({ length: 60_000 }, () => box("free")));
  const cases = [rest("iloc", extents), rest("free", many), concat(box("ftyp", ascii("heic"), be32(0)), many)];
  // As many as 16 bits count, all of them needed.
  const ids = Array.from({ length: 60_000 }, (_, i) => i + 10);
  const entries = concat(...ids.map((id) => full("infe", 2, 0, be16(id), be16(0), ascii("hvc1\0"))));
  const references = [heif.reference("dimg", 3, 1, 2), concat(...ids.map((id) => heif.reference("auxl", id, 3)))];
  cases.push(heif.heif({ references, entries }), heif.heif({ references: [concat(...ids.map(() => heif.reference("prem", 4, 3)))] }));
  for (const bytes of cases) expect((await preparePicture(bytes, { keepMetadata: false })).outcome).toBe("damaged");
});

test("a file cut off at any byte is damaged", async () => {
  const bytes = heif.heif();
  for (let length = 12; length < bytes.length; length++) {
    expect((await preparePicture(bytes.slice(0, length), { keepMetadata: false })).outcome).toBe("damaged");
  }
});

test("3,000 damaged files are refused or cleaned, and what is called clean is so the second time as well", async () => {
  const dice = seededDice(11);
  const counts = { stripped: 0, damaged: 0, unknown: 0, kept: 0, marked: 0 };
  for (let i = 0; i < 3_000; i++) {
    const picture = await preparePicture(mutate(heif.marked(), dice), { keepMetadata: false });
    counts[picture.outcome]++;
    if (picture.outcome !== "stripped") continue;
    if (has(picture.bytes, MARK)) counts.marked++;
    expect(await stripped(picture.bytes)).toEqual({ ...picture, outcome: undefined });
  }
  expect(counts.stripped).toBeGreaterThan(500);
  expect(counts.damaged).toBeGreaterThan(500);
  // Where bytes in front of the last box go, and as many as it has, it becomes a part of the pictures.
  expect(counts.marked).toBeLessThan(10);
});

async function stripped(bytes: Bytes): Promise<Picture> {
  const { outcome, ...picture } = await preparePicture(bytes, { keepMetadata: false });
  if (outcome !== "stripped" || !("bytes" in picture)) throw new Error(`the picture is ${outcome}`);
  return picture;
}

function text(bytes: Bytes): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function has(bytes: Bytes, wanted: string): boolean {
  return text(bytes).includes(wanted);
}
