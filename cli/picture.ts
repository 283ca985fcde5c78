// What is said of pictures of people and groups. Knows no command.

import { type Avatar, ClientError } from "#client";
import { damagedPicture } from "./errors.ts";
import type { Json } from "./output.ts";

export const PICTURE_NOTES: string =
  "A picture is a JPEG, PNG, WebP or GIF of at most 1 MiB. What cameras write into it is left out. The server cannot see it.";

/** What is said of a picture that is sent does not fit one that is set. */
export async function orDamaged<T>(setting: Promise<T>): Promise<T> {
  try {
    return await setting;
  } catch (error) {
    if (error instanceof ClientError && error.code === "picture-damaged") throw damagedPicture(error);
    throw error;
  }
}

export function avatarFields(avatar: Avatar | undefined): Json | null {
  return avatar === undefined ? null : { id: avatar.id, mime: avatar.mime, width: avatar.width, height: avatar.height };
}
