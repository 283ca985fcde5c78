// MediaPointer: an encrypted file at the server, and everything needed to find and read it. It exists only inside
// messages; the server never sees one.

import { type Bytes, EMPTY } from "./bytes.ts";
import type { MediaId } from "./ids.ts";
import { exactly, mediaId, text, uint32, uint64, upTo } from "./kinds.ts";
import { MAX_FILE_NAME_BYTES, MAX_MIME_BYTES, MAX_THUMBHASH_BYTES } from "./limits.ts";
import { type Extensible, message, type MessageKind, optional, required, withDefault } from "./strict.ts";

export interface MediaPointer extends Extensible {
  readonly mediaId: MediaId;
  /** 32 bytes, without which the server hands out nothing. */
  readonly accessSecret: Bytes;
  /** 32 bytes. */
  readonly key: Bytes;
  /** SHA-256 of the encrypted file. */
  readonly digest: Bytes;
  /** Bytes of plaintext; the encrypted file is padded. */
  readonly size: number;
  readonly mime: string;
  readonly name: string;
  /** Both 0 for what is no picture. */
  readonly width: number;
  readonly height: number;
  /** A blurred picture of some 30 bytes; empty where there is none. */
  readonly thumbhash: Bytes;
  /** SHA-256 of the plaintext, of pictures of people and groups: whoever has the picture knows it again after another upload. */
  readonly contentDigest: Bytes | undefined;
}

export const MEDIA_POINTER: MessageKind<MediaPointer> = message("edgewise.MediaPointer", {
  mediaId: required(1, mediaId),
  accessSecret: required(2, exactly(32)),
  key: required(3, exactly(32)),
  digest: required(4, exactly(32)),
  size: withDefault(5, uint64, 0),
  mime: withDefault(6, text(MAX_MIME_BYTES), ""),
  name: withDefault(7, text(MAX_FILE_NAME_BYTES), ""),
  width: withDefault(8, uint32, 0),
  height: withDefault(9, uint32, 0),
  thumbhash: withDefault(10, upTo(MAX_THUMBHASH_BYTES), EMPTY),
  contentDigest: optional(11, exactly(32)),
});
