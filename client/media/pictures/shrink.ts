// A smaller picture of a picture, where the platform decodes and compresses them: browsers do, and Node does not.

import type { Bytes } from "#wire";
import { decoded } from "./blur.ts";
import type { Picture } from "./picture.ts";

/** No side longer than `side`; of pictures that move, the first. `undefined` where nothing here can make one. */
export async function shrunk(picture: Picture, side: number): Promise<Bytes | undefined> {
  const bitmap = await decoded(picture, side);
  if (bitmap === undefined) return undefined;
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  // The others may be transparent in places.
  const blob = await canvas.convertToBlob({ type: picture.kind === "jpeg" ? "image/jpeg" : "image/png" });
  return new Uint8Array(await blob.arrayBuffer());
}
