// Stripped pictures in a browser: they are shown as before, pixel by pixel, and blurred. Runs in Chromium itself.

import { be32, type Bytes, concat, EMPTY } from "#wire";
import { thumbHashToRGBA } from "thumbhash";
import { expect, test } from "vitest";
import { blur, type Picture, preparePicture } from "../../../../client/media/pictures/index.ts";
import { profile } from "../../../support/pictures/icc.ts";
import * as jpeg from "../../../support/pictures/jpeg.ts";
import { MARKED } from "../../../support/pictures/places.ts";
import * as png from "../../../support/pictures/png.ts";
import { exif } from "../../../support/pictures/tiff.ts";
import * as webp from "../../../support/pictures/webp.ts";

test.each(MARKED)("$name: shown as before, and as large as is told", async ({ bytes }) => {
  const picture = await stripped(bytes);
  const after = await pixels(picture);
  expect(after).toEqual(await pixels({ ...picture, bytes }));
  expect({ width: after.width, height: after.height }).toEqual({ width: picture.width, height: picture.height });
});

test("what is kept is needed: without it these pictures would look different", async () => {
  const [plain, turned, coloured, red] = await Promise.all(
    [
      jpeg.jpeg(),
      jpeg.jpeg({ before: [jpeg.exifSegment(exif(2))] }),
      jpeg.jpeg({ before: jpeg.profileSegments(profile()) }),
      jpeg.jpeg({ before: [jpeg.adobe(0)] }),
    ].map(async (bytes) => (await pixels(await stripped(bytes))).data.join()),
  );
  expect(new Set([plain, turned, coloured, red]).size).toBe(4);
});

test.each(["image/jpeg", "image/png", "image/webp"])("a %s that the browser wrote loses nothing that shows", async (type) => {
  for (const quality of [0.5, 1]) {
    const bytes = await painted(type, quality);
    const picture = await stripped(bytes);
    expect(type).toBe(`image/${picture.kind}`);
    expect(await pixels(picture)).toEqual(await pixels({ ...picture, bytes }));
    expect(picture).toMatchObject({ width: 320, height: 200 });
  }
});

test("a blurred picture has the colours and the shape of the picture, turned as it is shown", async () => {
  const bytes = await painted("image/jpeg", 0.9);
  const lying = concat(bytes.subarray(0, 2), jpeg.exifSegment(exif(8)), bytes.subarray(2));
  const { w, h, rgba } = thumbHashToRGBA(await blur(await stripped(bytes)));
  expect(w).toBeGreaterThan(h);
  const [left, right] = [pixelAt(rgba, w * Math.floor(h / 2) + 2), pixelAt(rgba, w * Math.floor(h / 2) + w - 3)];
  expect(left.red - left.blue).toBeGreaterThan(50);
  expect(right.blue - right.red).toBeGreaterThan(50);
  // A quarter to the left: what was on the left is below.
  const turned = thumbHashToRGBA(await blur(await stripped(lying)));
  expect(turned.h).toBeGreaterThan(turned.w);
  const below = pixelAt(turned.rgba, turned.w * (turned.h - 3) + Math.floor(turned.w / 2));
  expect(below.red - below.blue).toBeGreaterThan(50);
});

test("what cannot be decoded, or claims to be huge, has no blurred picture", async () => {
  const broken = await stripped(webp.webp([webp.lossy]));
  expect(await blur(broken)).toEqual(EMPTY);
  const small = png.png();
  const header = png.chunk("IHDR", be32(65_000), be32(65_000), small.subarray(24, 29));
  const huge = await stripped(concat(small.subarray(0, 8), header, small.subarray(33)));
  expect(huge).toMatchObject({ width: 65_000, height: 65_000 });
  expect(await blur(huge)).toEqual(EMPTY);
});

async function stripped(bytes: Bytes): Promise<Picture> {
  const { outcome, ...picture } = await preparePicture(bytes, { keepMetadata: false });
  if (outcome !== "stripped" || !("bytes" in picture)) throw new Error(`the picture is ${outcome}`);
  return picture;
}

async function pixels({ bytes, kind }: Picture): Promise<{ width: number; height: number; data: number[] }> {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: `image/${kind}` }));
  const { width, height } = bitmap;
  const context = contextOf(width, height);
  context.drawImage(bitmap, 0, 0);
  return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
}

/** Red on the left, blue on the right, and a corner that lets through what is behind. */
async function painted(type: string, quality: number): Promise<Bytes> {
  const context = contextOf(320, 200);
  const paint = context.createLinearGradient(0, 0, 320, 0);
  paint.addColorStop(0, "rgb(230 40 20)");
  paint.addColorStop(1, "rgb(20 60 240)");
  context.fillStyle = paint;
  context.fillRect(0, 0, 320, 200);
  context.clearRect(0, 0, 40, 40);
  const blob = await context.canvas.convertToBlob({ type, quality });
  return new Uint8Array(await blob.arrayBuffer());
}

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("no canvas");
  return context;
}

function pixelAt(rgba: Uint8Array, index: number): { red: number; blue: number } {
  return { red: rgba[4 * index] ?? 0, blue: rgba[4 * index + 2] ?? 0 };
}
