// A picture before it is set: what a camera wrote into it is left out, as from every picture, and it is no larger than others fetch.
// A larger one is made smaller where the platform can do that, and refused elsewhere.

import { sha256 } from "#crypto";
import { type Bytes, MAX_AVATAR_BYTES, MAX_AVATAR_PIXELS } from "#wire";
import { ClientError } from "../errors.ts";
import { allOf } from "../media/keep-files.ts";
import { blur, type Picture, preparePicture, shrunk } from "../media/pictures/index.ts";
import { isAvatarType } from "./records.ts";

/** Of what may be made smaller. */
const MAX_SOURCE_BYTES = 32 * 1024 * 1024;
/** Larger than it is shown anywhere. */
const SHRUNK_PIXELS = 512;

export interface PreparedAvatar {
  readonly bytes: Bytes;
  /** Of the bytes, SHA-256. */
  readonly digest: Bytes;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly thumbhash: Bytes;
}

/** @throws ClientError `not-a-picture`, `picture-damaged`, `picture-too-large`, `file-unreadable` */
export async function prepareAvatar(file: Blob): Promise<PreparedAvatar> {
  if (file.size > MAX_SOURCE_BYTES) throw new ClientError("picture-too-large");
  const picture = await withinBounds(await cleaned(await allOf(file)));
  const { bytes, kind, width, height } = picture;
  return { bytes, digest: sha256(bytes), mime: `image/${kind}`, width, height, thumbhash: await blur(picture) };
}

async function cleaned(bytes: Bytes): Promise<Picture> {
  const picture = await preparePicture(bytes, { keepMetadata: false });
  if (picture.outcome === "unknown" || !isAvatarType(`image/${picture.kind}`)) throw new ClientError("not-a-picture");
  if (picture.outcome === "damaged") throw new ClientError("picture-damaged");
  return picture;
}

async function withinBounds(picture: Picture): Promise<Picture> {
  if (isWithin(picture)) return picture;
  const bytes = await shrunk(picture, SHRUNK_PIXELS);
  const smaller = bytes === undefined ? undefined : await cleaned(bytes);
  if (smaller === undefined || !isWithin(smaller)) throw new ClientError("picture-too-large");
  return smaller;
}

function isWithin({ bytes, width, height }: Picture): boolean {
  return bytes.length <= MAX_AVATAR_BYTES && width <= MAX_AVATAR_PIXELS && height <= MAX_AVATAR_PIXELS;
}
