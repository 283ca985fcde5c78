// The files of a message, as its record keeps them and as its content carries them. What others call a file is made harmless here, on
// the way in: nobody behind this has to think of paths, of control characters or of a picture as wide as a street.

import { copy, MAX_FILE_NAME_BYTES, MAX_MIME_BYTES, type MediaPointer, toUtf8 } from "#wire";
import type { AttachmentRecord } from "../records/tables.ts";

const NAMELESS = "file";
const ANY_TYPE = "application/octet-stream";
const MAX_PIXELS = 0xffff;

/** What moves a cursor, ends a line or turns the direction of reading; and what file systems give a meaning. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const RESERVED = /["*:<>?|]/g;
/** Names that are devices on Windows, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** A name without a path, that is no hidden file. The same again for what it has made. */
export function safeName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const plain = last.replaceAll(UNPRINTABLE, "").replaceAll(RESERVED, "_").replaceAll(/\s+/g, " ");
  const short = shortened(plain.replace(/^[. ]+/, "").replace(/[. ]+$/, ""));
  if (short === "") return NAMELESS;
  return DEVICE.test(short) ? shortened(`${NAMELESS}-${short}`) : short;
}

/** Keeps the ending, by which programs know what a file is. */
function shortened(name: string): string {
  const ending = /\.\w{1,16}$/.exec(name)?.[0] ?? "";
  const characters = Array.from(name.slice(0, name.length - ending.length));
  let bytes = toUtf8(name).length;
  while (bytes > MAX_FILE_NAME_BYTES) bytes -= toUtf8(characters.pop() ?? "").length;
  return `${characters.join("").trimEnd()}${ending}`;
}

export function safeMime(mime: string): string {
  const type = mime.toLowerCase();
  return type.length <= MAX_MIME_BYTES && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : ANY_TYPE;
}

/** Of what came. The bytes are copies. */
export function toRecord(pointer: MediaPointer): AttachmentRecord {
  const { width, height } = pointer;
  const isPicture = width > 0 && height > 0 && width <= MAX_PIXELS && height <= MAX_PIXELS;
  return {
    name: safeName(pointer.name),
    mime: safeMime(pointer.mime),
    size: pointer.size,
    width: isPicture ? width : 0,
    height: isPicture ? height : 0,
    thumbhash: copy(pointer.thumbhash),
    key: copy(pointer.key),
    digest: copy(pointer.digest),
    ...(pointer.contentDigest === undefined ? {} : { contentDigest: copy(pointer.contentDigest) }),
    stored: { mediaId: pointer.mediaId, accessSecret: copy(pointer.accessSecret) },
  };
}

/** `undefined` while it is not at the server. */
export function toPointer({ stored, contentDigest, ...file }: AttachmentRecord): MediaPointer | undefined {
  return stored === undefined ? undefined : { ...file, contentDigest, ...stored };
}

/** Of a message whose files are all there; `undefined` for others. */
export function toPointers(attachments: readonly AttachmentRecord[] = []): readonly MediaPointer[] | undefined {
  const pointers = attachments.map(toPointer);
  return pointers.every((pointer) => pointer !== undefined) ? pointers : undefined;
}
