// The segments of a JPEG file (ITU-T T.81, annex B): where each begins and ends. Knows the markers, not what they say.

import { be16, type Bytes, concat, EMPTY, WireError } from "#wire";
import { bigEndian, partOf } from "./reading.ts";

/** T.81, table B.1. */
export const MARKERS = {
  DHT: 0xc4,
  DAC: 0xcc,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DRI: 0xdd,
  APP0: 0xe0,
  APP1: 0xe1,
  APP2: 0xe2,
  APP14: 0xee,
  APP15: 0xef,
  COM: 0xfe,
} as const;

/** The length of a segment counts itself, in two bytes. */
export const MAX_SEGMENT_BYTES: number = 0xffff - 2;

export interface Segment {
  readonly marker: number;
  readonly content: Bytes;
  /** What follows the header of a scan; else empty. */
  readonly scan: Bytes;
}

/** From behind the start marker to the end marker; what follows is nobody's. @throws WireError */
export function* segmentsOf(bytes: Bytes): Generator<Segment> {
  let at = 2;
  for (;;) {
    if (bytes[at] !== 0xff) throw new WireError(at < bytes.length ? "bad-value" : "truncated");
    // B.1.1.2: a marker may have fill bytes before it.
    while (bytes[at] === 0xff) at++;
    const marker = bigEndian(bytes, at, 1);
    if (marker === MARKERS.EOI) return;
    const length = bigEndian(bytes, at + 1, 2);
    if (length < 2) throw new WireError("bad-length");
    const content = partOf(bytes, at + 3, length - 2);
    at += 1 + length;
    const end = marker === MARKERS.SOS ? endOfScan(bytes, at) : at;
    yield { marker, content, scan: end === at ? EMPTY : bytes.subarray(at, end) };
    at = end;
  }
}

/** In a scan a zero follows each 0xff that is no marker (B.1.1.5); restart markers belong to the scan. */
function endOfScan(bytes: Bytes, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at)) {
    let next = at;
    while (bytes[next] === 0xff) next++;
    const marker = bigEndian(bytes, next, 1);
    if (marker !== 0 && (marker < MARKERS.RST0 || marker > MARKERS.RST7)) return at;
    at = next + 1;
  }
  throw new WireError("truncated");
}

export function encodeMarker(marker: number): Bytes {
  return new Uint8Array([0xff, marker]);
}

export function encodeSegment(marker: number, content: Bytes): Bytes {
  return concat(encodeMarker(marker), be16(content.length + 2), content);
}
