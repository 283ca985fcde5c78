// A blurred picture of some 30 bytes (thumbhash), shown until the picture is there. The pixels come from the platform: browsers
// decode pictures; Node does not, and no decoder is carried along for it, so that a picture sent from there has none.

import { rgbaToThumbHash } from "thumbhash";
import { type Bytes, EMPTY } from "#wire";
import type { Picture } from "./picture.ts";

/** Thumbhash takes no more on a side, and sees no more. */
const MAX_SIDE = 100;
/** Four bytes each while it is decoded: a picture of a few kilobytes can claim any size. */
const MAX_PIXELS = 64_000_000;

/** Empty where nothing decodes the picture. */
export async function blur(picture: Picture): Promise<Bytes> {
  const bitmap = await decoded(picture, MAX_SIDE);
  const pixels = bitmap === undefined ? undefined : pixelsOf(bitmap);
  bitmap?.close();
  return pixels === undefined ? EMPTY : rgbaToThumbHash(pixels.width, pixels.height, pixels.data);
}

/** So large that no side is longer than `side`, and as it is shown. Nothing where the platform cannot. */
export async function decoded({ kind, bytes, width, height }: Picture, side: number): Promise<ImageBitmap | undefined> {
  if (typeof OffscreenCanvas === "undefined" || width * height > MAX_PIXELS) return undefined;
  const shrink = Math.min(1, side / Math.max(width, height));
  try {
    return await createImageBitmap(new Blob([bytes], { type: `image/${kind}` }), {
      resizeWidth: Math.max(1, Math.round(width * shrink)),
      resizeHeight: Math.max(1, Math.round(height * shrink)),
      resizeQuality: "medium",
    });
  } catch (error) {
    // What the platform says of a picture that it cannot decode.
    if (error instanceof DOMException && error.name === "InvalidStateError") return undefined;
    throw error;
  }
}

function pixelsOf(bitmap: ImageBitmap): ImageData | undefined {
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context?.drawImage(bitmap, 0, 0);
  return context?.getImageData(0, 0, bitmap.width, bitmap.height);
}
