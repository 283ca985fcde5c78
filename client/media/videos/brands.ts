// What a file says it is for (ISO/IEC 14496-12, 4.3): brands. Some are names of makers of cameras, so that none is left that many do not
// use; and those of single pictures are gone, because the descriptions of these are.

import { ascii, type Bytes, WireError } from "#wire";
import { textAt } from "../pictures/reading.ts";
import type { Movie } from "./movie.ts";

export const QUICKTIME = "qt  ";

const ISO = "isom";
const SEQUENCES: readonly string[] = ["hevc", "hevx", "msf1"];
const KNOWN = /^(?:iso[2-9a-cm]|mp4[12]|avc1|av01|hvc1|dby1|dash|cmf[2c]|3g[2p][4-9a-c]|M4[ABV] |qt {2}|avis|hevc|hevx|msf1)$/;

/** As long as before: a brand, the version of whoever made the file, and other brands. */
export function plainBrands(content: Bytes): Bytes {
  if (content.length < 8 || content.length % 4 !== 0) throw new WireError("bad-length");
  const plain = new Uint8Array(content.length);
  const first = known(textAt(content, 0, 4), ISO);
  plain.set(ascii(first));
  for (let at = 8; at < content.length; at += 4) plain.set(ascii(known(textAt(content, at, 4), first)), at);
  return plain;
}

function known(brand: string, otherwise: string): string {
  return KNOWN.test(brand) ? brand : otherwise;
}

export function mimeOf(brand: string, { tracks }: Movie): string {
  if (brand === "avis") return "image/avif";
  if (SEQUENCES.includes(brand)) return "image/heic-sequence";
  if (tracks.every(({ handler }) => handler === "soun")) return "audio/mp4";
  if (brand === QUICKTIME) return "video/quicktime";
  return brand.startsWith("3g") ? "video/3gpp" : "video/mp4";
}
