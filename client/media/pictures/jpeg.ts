// JPEG (ITU-T T.81) without metadata: the tables, the frame and the scans as they are, behind a short head written anew. All
// other application segments, comments, and what follows the end marker are left out: EXIF, XMP, IPTC, maker's notes,
// thumbnails, further pictures (MPF), videos. The scans are not decoded: bytes inside of them are taken for picture.

import { type Bytes, WireError } from "#wire";
import { JpegHead } from "./jpeg-head.ts";
import { encodeMarker, encodeSegment, MARKERS, segmentsOf } from "./jpeg-segments.ts";
import { type Size, turnedSize } from "./orientation.ts";
import type { PlainPicture } from "./plain.ts";
import { bigEndian } from "./reading.ts";

/** Baseline, extended and progressive, the last two also with arithmetic coding: what decoders read. */
const FRAMES: readonly number[] = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const MAX_COMPONENTS = 4;

/** @throws WireError */
export function plainJpeg(bytes: Bytes): PlainPicture {
  const head = new JpegHead();
  const body: Bytes[] = [];
  let frame: Size | undefined;
  let scans = 0;
  for (const { marker, content, scan } of segmentsOf(bytes)) {
    if (marker === MARKERS.COM) continue;
    if (marker >= MARKERS.APP0 && marker <= MARKERS.APP15) {
      // At the first scan a decoder has settled how it shows the picture.
      if (scans === 0) head.read(marker, content);
      continue;
    }
    if (FRAMES.includes(marker)) {
      if (frame !== undefined) throw new WireError("too-many");
      frame = readFrame(content);
    } else if (marker === MARKERS.SOS) {
      if (frame === undefined) throw new WireError("missing-field");
      checkScanHeader(content);
      scans++;
    } else {
      checkTables(marker, content);
    }
    body.push(encodeSegment(marker, content), scan);
  }
  if (frame === undefined || scans === 0) throw new WireError("missing-field");
  const parts = [encodeMarker(MARKERS.SOI), ...head.encode(), ...body, encodeMarker(MARKERS.EOI)];
  return { parts, ...turnedSize(frame, head.orientation) };
}

/** B.2.2 */
function readFrame(content: Bytes): Size {
  const [height, width, components] = [bigEndian(content, 1, 2), bigEndian(content, 3, 2), bigEndian(content, 5, 1)];
  // A height of 0 says that it follows later, which decoders do not wait for.
  if (height === 0 || width === 0) throw new WireError("bad-value");
  requireComponents(components);
  if (content.length !== 6 + 3 * components) throw new WireError("bad-length");
  return { width, height };
}

/** B.2.3 */
function checkScanHeader(content: Bytes): void {
  const components = bigEndian(content, 0, 1);
  requireComponents(components);
  if (content.length !== 4 + 2 * components) throw new WireError("bad-length");
}

function requireComponents(count: number): void {
  if (count === 0 || count > MAX_COMPONENTS) throw new WireError("bad-value");
}

/** B.2.4: a segment holds whole tables and nothing behind them. */
function checkTables(marker: number, content: Bytes): void {
  if (marker === MARKERS.DRI && content.length !== 2) throw new WireError("bad-length");
  let at = 0;
  do at += tableLength(marker, content, at);
  while (at < content.length);
  if (at !== content.length) throw new WireError("bad-length");
}

function tableLength(marker: number, content: Bytes, at: number): number {
  const [high, low] = [bigEndian(content, at, 1) >> 4, bigEndian(content, at, 1) & 0x0f];
  switch (marker) {
    case MARKERS.DRI:
      return 2;
    case MARKERS.DQT:
      requireIndex(high, low);
      return 1 + 64 * (1 + high);
    case MARKERS.DHT:
      requireIndex(high, low);
      return content.subarray(at + 1, at + 17).reduce((length, codes) => length + codes, 1 + 16);
    case MARKERS.DAC:
      if (high > 1) throw new WireError("bad-value");
      return 2;
    default:
      throw new WireError("bad-value");
  }
}

/** Two kinds of tables, four of each. */
function requireIndex(kind: number, index: number): void {
  if (kind > 1 || index > 3) throw new WireError("bad-value");
}
