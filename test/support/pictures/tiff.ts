// EXIF as cameras write it (a TIFF structure), with a mark wherever text may stand. Shares nothing with what reads it.

import { ascii, type Bytes, concat } from "#wire";

/** What must not be found in a picture that was stripped. */
export const MARK = "GPS-SECRET";

export type ByteOrder = "big" | "little";

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** At most four bytes stand in the field itself. */
  readonly data: Bytes;
}

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/** Camera, time, place, the maker's note and a thumbnail. */
export function exif(orientation: number, order: ByteOrder = "big"): Bytes {
  const { u16, u32 } = numbers(order);
  const text = (tag: number): Field => ({ tag, type: ASCII, count: MARK.length + 1, data: ascii(`${MARK}\0`) });
  const long = (tag: number, value: number): Field => ({ tag, type: LONG, count: 1, data: u32(value) });
  const opaque = (tag: number): Field => ({ tag, type: UNDEFINED, count: MARK.length, data: ascii(MARK) });
  const turn: Field = { tag: 0x0112, type: SHORT, count: 1, data: concat(u16(orientation), u16(0)) };
  const thumbnail = ascii(`\x7f${MARK}`);

  const layOut = (at: { photo: number; place: number; small: number; thumbnail: number }): Bytes[] => {
    const main = [text(0x010f), text(0x0110), turn, text(0x0132), long(0x8769, at.photo), long(0x8825, at.place)];
    const photo = [text(0x9003), opaque(0x927c), opaque(0x9286), text(0xa431)];
    const place = [text(0x0001), opaque(0x001b), text(0x001d)];
    const small = [turn, long(0x0201, at.thumbnail), long(0x0202, thumbnail.length)];
    let end = 8;
    return [
      ...[main, photo, place, small].map((fields) => {
        const directory = encodeDirectory(fields, { begin: end, next: fields === main ? at.small : 0 }, order);
        end += directory.length;
        return directory;
      }),
      thumbnail,
    ];
  };
  // The lengths do not depend on the places.
  const [main = 0, photo = 0, place = 0, small = 0] = layOut({ photo: 0, place: 0, small: 0, thumbnail: 0 }).map(({ length }) => length);
  const places = { photo: 8 + main, place: 8 + main + photo, small: 8 + main + photo + place, thumbnail: 8 + main + photo + place + small };
  return concat(ascii(order === "big" ? "MM\0*" : "II*\0"), u32(8), ...layOut(places));
}

/** The same, but what turns the picture has a type that it must not have. */
export function mistypedExif(): Bytes {
  const bytes = exif(6);
  const field = bytes.findIndex((byte, at) => byte === 0x01 && bytes[at + 1] === 0x12 && bytes[at + 3] === SHORT);
  return bytes.fill(LONG, field + 3, field + 4);
}

function encodeDirectory(fields: readonly Field[], { begin, next }: { begin: number; next: number }, order: ByteOrder): Bytes {
  const { u16, u32 } = numbers(order);
  const heap: Bytes[] = [];
  let end = begin + 2 + 12 * fields.length + 4;
  const entries = fields.map(({ tag, type, count, data }) => {
    if (data.length <= 4) return concat(u16(tag), u16(type), u32(count), data);
    const entry = concat(u16(tag), u16(type), u32(count), u32(end));
    heap.push(data);
    end += data.length;
    return entry;
  });
  return concat(u16(fields.length), ...entries, u32(next), ...heap);
}

function numbers(order: ByteOrder): { u16: (value: number) => Bytes; u32: (value: number) => Bytes } {
  const write = (size: 2 | 4) => (value: number) => {
    const view = new DataView(new ArrayBuffer(size));
    if (size === 2) view.setUint16(0, value, order === "little");
    else view.setUint32(0, value, order === "little");
    return new Uint8Array(view.buffer);
  };
  return { u16: write(2), u32: write(4) };
}
