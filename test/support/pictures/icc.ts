// A colour profile that shows: red and green change places. With a mark wherever a profile has room for more than colours.

import { ascii, be16, be32, type Bytes, concat } from "#wire";
import { MARK } from "./tiff.ts";

export function profile(): Bytes {
  const curve = concat(ascii("curv"), be32(0), be32(1), be16(0x0233), ascii(MARK));
  const tags: readonly (readonly [string, Bytes])[] = [
    ["desc", concat(ascii("desc"), be32(0), be32(MARK.length + 1), ascii(`${MARK}\0`), new Uint8Array(78))],
    ["cprt", concat(ascii("text"), be32(0), ascii(`${MARK}\0`))],
    ["mmod", concat(ascii("mmod"), be32(0), ascii(MARK))],
    ["wtpt", xyz(0.9642, 1, 0.8249)],
    ["rXYZ", xyz(0.3851, 0.7169, 0.0971)],
    ["gXYZ", xyz(0.436, 0.2225, 0.0139)],
    ["bXYZ", xyz(0.1431, 0.0606, 0.7141)],
    ["rTRC", curve],
    ["gTRC", curve],
    ["bTRC", curve],
    ["zzzz", ascii(MARK)],
  ];
  let end = 128 + 4 + 12 * tags.length;
  const entries: Bytes[] = [];
  for (const [name, content] of tags) {
    entries.push(ascii(name), be32(end), be32(content.length));
    end += content.length;
  }
  return concat(header(end + MARK.length), be32(tags.length), ...entries, ...tags.map(([, content]) => content), ascii(MARK));
}

function header(size: number): Bytes {
  return concat(
    ...[be32(size), ascii(MARK.slice(0, 4)), be32(0x02400000), ascii("mntrRGB XYZ ")],
    ...[new Uint8Array(12), ascii("acsp"), ascii("APPL"), new Uint8Array(4), ascii(MARK.slice(0, 8)), new Uint8Array(8), be32(0)],
    ...[xyz(0.9642, 1, 0.8249).subarray(8), ascii(MARK.slice(0, 4)), ascii(`${MARK}______`), ascii(`${MARK}__________________`)],
  );
}

/** As numbers with 16 bits behind the point. */
function xyz(...values: readonly number[]): Bytes {
  return concat(ascii("XYZ "), be32(0), ...values.map((value) => be32(Math.round(value * 0x10000))));
}
