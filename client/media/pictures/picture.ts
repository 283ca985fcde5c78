// A picture before it is sent: what kind it is, how large it shows, and its bytes without whatever else was written into
// them (place, time, camera, comments, other pictures, data after its end). Nothing is decoded or compressed again: what
// shows the picture is copied, everything else is left out, so what nobody has heard of is left out as well. It works on
// bytes and knows neither files nor messages.

import { type Bytes, concat, WireError } from "#wire";
import { plainGif } from "./gif.ts";
import { plainHeif } from "./heif.ts";
import { plainJpeg } from "./jpeg.ts";
import type { PlainPicture } from "./plain.ts";
import { plainPng } from "./png.ts";
import { hasText } from "./reading.ts";
import { plainWebp } from "./webp.ts";

export type PictureKind = "jpeg" | "png" | "webp" | "gif" | "avif" | "heic";

export interface Picture {
  readonly kind: PictureKind;
  readonly bytes: Bytes;
  /** As it is shown: turned, where the picture says so. */
  readonly width: number;
  readonly height: number;
}

/**
 * `stripped`: nothing is left but what shows the picture. `kept`: as it was, as asked for. `unknown`: no picture of these kinds;
 * it may hold anything. `damaged`: not what its first bytes claim, or with parts that this code does not know; it may hold
 * anything, and there are no bytes to send.
 */
export type PreparedPicture =
  | (Picture & { readonly outcome: "stripped" | "kept" })
  | { readonly outcome: "damaged"; readonly kind: PictureKind }
  | { readonly outcome: "unknown" };

const READERS: Readonly<Record<PictureKind, (bytes: Bytes) => PlainPicture | Promise<PlainPicture>>> = {
  jpeg: plainJpeg,
  png: plainPng,
  webp: plainWebp,
  gif: plainGif,
  avif: plainHeif,
  heic: plainHeif,
};

const BRANDS: readonly string[] = ["avif", "heic", "heix", "heim", "heis", "mif1", "mif2"];

/** `bytes` are borrowed; what is `kept` are these same bytes. */
export async function preparePicture(bytes: Bytes, options: { readonly keepMetadata: boolean }): Promise<PreparedPicture> {
  const kind = pictureKind(bytes);
  if (kind === undefined) return { outcome: "unknown" };
  try {
    const { parts, width, height } = await READERS[kind](bytes);
    if (options.keepMetadata) return { outcome: "kept", kind, bytes, width, height };
    return { outcome: "stripped", kind, bytes: concat(...parts), width, height };
  } catch (error) {
    if (error instanceof WireError) return { outcome: "damaged", kind };
    throw error;
  }
}

/** By content: a name or a type that somebody gave is not asked. */
function pictureKind(bytes: Bytes): PictureKind | undefined {
  if (hasText(bytes, 0, "\xff\xd8\xff")) return "jpeg";
  if (hasText(bytes, 0, "\x89PNG\r\n\x1a\n")) return "png";
  if (hasText(bytes, 0, "RIFF") && hasText(bytes, 8, "WEBP")) return "webp";
  if (hasText(bytes, 0, "GIF87a") || hasText(bytes, 0, "GIF89a")) return "gif";
  return hasText(bytes, 4, "ftyp") ? heifKind(bytes) : undefined;
}

/** ISO/IEC 23008-12, 10.2: by the first brand; those with several pictures in time are videos. */
function heifKind(bytes: Bytes): PictureKind | undefined {
  const brand = BRANDS.find((known) => hasText(bytes, 8, known));
  if (brand === undefined) return undefined;
  if (brand !== "mif1" && brand !== "mif2") return brand === "avif" ? "avif" : "heic";
  // Of any compression: which one it is, follows.
  return [16, 20, 24, 28].some((at) => hasText(bytes, at, "avif")) ? "avif" : "heic";
}
