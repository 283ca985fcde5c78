// MediaPointer: an encrypted file at the server, and everything needed to find and read it. It exists only inside
// messages; the server never sees one.

import type { Bytes } from "./bytes.ts";
import * as pb from "./gen/content_pb.js";
import { bytesOf, type Extensible, extensionsOf, make, mediaIdOf, mediaIdToField } from "./generated.ts";
import type { MediaId } from "./ids.ts";

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
}

export function mediaPointerToMessage(pointer: MediaPointer): pb.MediaPointer {
  const { accessSecret, key, digest, mime, name, width, height, thumbhash } = pointer;
  const mediaId = mediaIdToField(pointer.mediaId);
  const size = BigInt(pointer.size);
  return make(pb.MediaPointerSchema, pointer, { mediaId, accessSecret, key, digest, size, mime, name, width, height, thumbhash });
}

export function mediaPointerFromMessage(message: pb.MediaPointer): MediaPointer {
  return {
    mediaId: mediaIdOf(message.mediaId),
    accessSecret: bytesOf(message.accessSecret),
    key: bytesOf(message.key),
    digest: bytesOf(message.digest),
    size: Number(message.size),
    mime: message.mime,
    name: message.name,
    width: message.width,
    height: message.height,
    thumbhash: bytesOf(message.thumbhash),
    ...extensionsOf(message),
  };
}
