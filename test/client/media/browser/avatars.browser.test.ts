// A picture that is set as somebody's in a browser: whatever size it has, it is one that others fetch. Runs in Chromium itself.

import { type Bytes, concat, MAX_AVATAR_BYTES, sameBytes } from "#wire";
import { expect, test } from "vitest";
import { prepareAvatar } from "../../../../client/avatars/prepare.ts";
import * as jpeg from "../../../support/pictures/jpeg.ts";
import { exif } from "../../../support/pictures/tiff.ts";

test.each(["image/jpeg", "image/png", "image/webp"])("a large %s becomes one that fits, with its shape and its colours", async (type) => {
  const file = await photo(type, 2400, 1200);
  const made = await prepareAvatar(file);
  expect(made.bytes.length).toBeLessThanOrEqual(MAX_AVATAR_BYTES);
  expect(made).toMatchObject({ width: 512, height: 256, mime: type === "image/jpeg" ? type : "image/png" });
  const { width, height, at } = await shown(made.bytes, made.mime);
  expect({ width, height }).toEqual({ width: 512, height: 256 });
  expect(at(20, 128).red - at(20, 128).blue).toBeGreaterThan(60);
  expect(at(490, 128).blue - at(490, 128).red).toBeGreaterThan(60);
  // What lets through what is behind stays so, where the kind of picture can.
  expect(at(256, 4).alpha).toBe(type === "image/jpeg" ? 255 : 0);
  expect(made.thumbhash.length).toBeGreaterThan(4);
});

test("a small picture stays as it is, to the byte", async () => {
  const file = await photo("image/png", 200, 100);
  const made = await prepareAvatar(file);
  expect(made).toMatchObject({ width: 200, height: 100, mime: "image/png" });
  // The browser writes no metadata: nothing was left out.
  expect(sameBytes(made.bytes, await bytesOf(file))).toBe(true);
});

test("a large picture that a camera has turned is upright when it is small, and tells nothing of the camera", async () => {
  const bytes = await bytesOf(await photo("image/jpeg", 2400, 1200));
  const turned = concat(bytes.subarray(0, 2), jpeg.exifSegment(exif(8)), bytes.subarray(2));
  const made = await prepareAvatar(new Blob([turned]));
  expect(made).toMatchObject({ width: 256, height: 512 });
  expect(new TextDecoder("latin1").decode(made.bytes)).not.toContain("Exif");
  const { at } = await shown(made.bytes, made.mime);
  // A quarter to the left: what was on the left is below.
  expect(at(128, 490).red - at(128, 490).blue).toBeGreaterThan(60);
});

test("what no browser decodes is refused, and so is what claims to be huge", async () => {
  const bytes = await bytesOf(await photo("image/jpeg", 2400, 1200));
  const broken = bytes.slice();
  const frame = broken.findIndex((byte, at) => byte === 0xff && (broken[at + 1] === 0xc0 || broken[at + 1] === 0xc2));
  broken.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  await expect(prepareAvatar(new Blob([broken]))).rejects.toMatchObject({ code: "picture-too-large" });
  await expect(prepareAvatar(new Blob(["no picture"]))).rejects.toMatchObject({ code: "not-a-picture" });
});

/** Red on the left, blue on the right, with the grain of a photo, and a hole at the top. */
async function photo(type: string, width: number, height: number): Promise<Blob> {
  const context = contextOf(width, height);
  const paint = context.createLinearGradient(0, 0, width, 0);
  paint.addColorStop(0, "rgb(230 40 20)");
  paint.addColorStop(1, "rgb(20 60 240)");
  context.fillStyle = paint;
  context.fillRect(0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  let state = 1;
  for (let i = 0; i < image.data.length; i++) {
    // Lehmer's generator: the same grain every time.
    state = (state * 48_271) % 2_147_483_647;
    if (i % 4 !== 3) image.data[i] = (image.data[i] ?? 0) + (state % 32) - 16;
  }
  context.putImageData(image, 0, 0);
  context.clearRect(width / 2 - 40, 0, 80, 40);
  return await context.canvas.convertToBlob({ type, quality: 0.95 });
}

async function shown(bytes: Bytes, type: string) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }));
  const { width, height } = bitmap;
  const context = contextOf(width, height);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const at = (x: number, y: number) => {
    const [red = 0, , blue = 0, alpha = 0] = data.subarray(4 * (y * width + x));
    return { red, blue, alpha };
  };
  return { width, height, at };
}

async function bytesOf(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer());
}

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("no canvas");
  return context;
}
