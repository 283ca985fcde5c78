// What is said of pictures of people and groups. Knows no command.

import type { Avatar } from "#client";
import type { Json } from "./output.ts";

export const PICTURE_NOTES: string =
  "A picture is a JPEG, PNG, WebP or GIF of at most 1 MiB. What cameras write into it is left out. The server cannot see it.";

export function avatarFields(avatar: Avatar | undefined): Json | null {
  return avatar === undefined ? null : { id: avatar.id, mime: avatar.mime, width: avatar.width, height: avatar.height };
}
