// A video or a recording before it is sent (MP4, MOV, M4V, M4A, 3GP: ISO/IEC 14496-12 and QuickTime): without the place, the time, the
// device, and whatever else was written into it but what is seen and heard. Nothing is decoded, and the file is never held as a
// whole: its descriptions are read and written anew, in as many bytes, and the samples of the tracks that stay are stretches
// of the file that was given. All other bytes are zeros, or not there where nothing follows.

import { ascii, type Bytes, concat, EMPTY, WireError } from "#wire";
import { type Box, boxAt, FREE, HEADER_BYTES, LONG_HEADER_BYTES, MAX_BOXES } from "../pictures/boxes.ts";
import { textAt } from "../pictures/reading.ts";
import { mimeOf, plainBrands, QUICKTIME } from "./brands.ts";
import { plainFragment } from "./fragments.ts";
import { type Movie, plainMovie, shownSize } from "./movie.ts";
import { overlap, type Range, Ranges } from "./ranges.ts";
import { addChunks } from "./samples.ts";

/** Descriptions are held; those of the longest videos of 100 MiB have some 5 MB. */
const MAX_DESCRIPTION_BYTES = 16 * 1024 * 1024;
/** Stretches of the file one after another, and zeros. */
const MAX_PARTS = 50_000;
const ZEROS_BYTES = 1024 * 1024;

/** `damaged`: it has parts that nobody here knows, and may hold anything. */
export type PreparedVideo =
  | {
      readonly outcome: "stripped";
      readonly content: Blob;
      readonly mime: string;
      /** As it is shown; 0 for a recording, and where nobody is certain. */
      readonly width: number;
      readonly height: number;
    }
  | { readonly outcome: "damaged" };

/** Reads a stretch of the file, or says why not. */
export type Read = (stretch: Blob) => Promise<Bytes>;

/** What a file of such boxes begins with; before there were brands, with any of these. */
const FIRST: readonly string[] = ["ftyp", "moov", "mdat", "wide", "skip", FREE, "pnot"];

/** Whether it is one, by its first bytes, and after nobody has found it to be a picture. */
export function isVideo(head: Bytes): boolean {
  return head.length >= HEADER_BYTES && FIRST.includes(textAt(head, 4, 4));
}

/** `file` is borrowed, and has to stay as it is until `content` was read. */
export async function prepareVideo(file: Blob, read: Read): Promise<PreparedVideo> {
  try {
    return { outcome: "stripped", ...(await plainVideo(file, read)) };
  } catch (error) {
    if (error instanceof WireError) return { outcome: "damaged" };
    throw error;
  }
}

interface Place extends Box {
  readonly header: Bytes;
}

type Plain = Omit<Extract<PreparedVideo, { readonly outcome: "stripped" }>, "outcome">;

async function plainVideo(file: Blob, read: Read): Promise<Plain> {
  const places = await placesIn(file, read);
  const { contents, movie, stretches, brand } = await describe(file, read, places);
  const parts = new Parts(file);
  let next = 0;
  for (const place of places) {
    const { type, header, contentAt, end } = place;
    const content = contents.get(place);
    if (content !== undefined) {
      parts.add(header, content);
    } else if (type === "mdat") {
      const first = next;
      while ((stretches[next]?.to ?? Infinity) <= end) next++;
      parts.add(header);
      parts.addStretches(stretches.slice(first, next), place);
    } else {
      parts.add(concat(header.subarray(0, 4), ascii(FREE), header.subarray(8)));
      parts.addZeros(end - contentAt);
    }
  }
  // Samples that lie in no box of samples.
  if (next < stretches.length) throw new WireError("bad-value");
  return { content: parts.whole(), mime: mimeOf(brand, movie), ...shownSize(movie) };
}

/** Up to the last that has something to say. */
async function placesIn(file: Blob, read: Read): Promise<Place[]> {
  const places: Place[] = [];
  let at = 0;
  // What is shorter than a header is no box, and is left out.
  while (at + HEADER_BYTES <= file.size) {
    if (places.length === MAX_BOXES) throw new WireError("too-many");
    const head = await read(file.slice(at, at + LONG_HEADER_BYTES));
    const box = boxAt(head, at, file.size, "file");
    places.push({ ...box, header: head.subarray(0, box.contentAt - at) });
    at = box.end;
  }
  return places.slice(0, 1 + places.findLastIndex(({ type }) => type === "moov" || type === "moof" || type === "mdat"));
}

interface Described {
  /** What is written anew, as long as before. */
  readonly contents: ReadonlyMap<Place, Bytes>;
  readonly movie: Movie;
  /** Where samples are, in order. */
  readonly stretches: readonly Range[];
  readonly brand: string;
}

async function describe(file: Blob, read: Read, places: readonly Place[]): Promise<Described> {
  let room = MAX_DESCRIPTION_BYTES;
  const contentOf = async ({ contentAt, end }: Place): Promise<Bytes> => {
    room -= end - contentAt;
    if (room < 0) throw new WireError("too-long");
    return await read(file.slice(contentAt, end));
  };
  const contents = new Map<Place, Bytes>();
  const ranges = new Ranges(file.size);
  const moov = onlyOne(places, "moov");
  if (moov === undefined) throw new WireError("missing-field");
  const movie = plainMovie(await contentOf(moov));
  contents.set(moov, movie.content);
  for (const track of movie.tracks) addChunks(track, ranges);
  for (const place of places.filter(({ type }) => type === "moof")) {
    contents.set(place, plainFragment(await contentOf(place), place.at, movie, ranges));
  }
  const ftyp = onlyOne(places, "ftyp");
  const brands = ftyp === undefined ? EMPTY : plainBrands(await contentOf(ftyp));
  if (ftyp !== undefined) contents.set(ftyp, brands);
  return {
    contents,
    movie,
    stretches: ownStretches(ranges, movie, file.size),
    brand: ftyp === undefined ? QUICKTIME : textAt(brands, 0, 4),
  };
}

/** A track that claims what another one has that goes, would take it along. @throws WireError */
function ownStretches(ranges: Ranges, { others }: Movie, size: number): Range[] {
  const stretches = ranges.together();
  const foreign = new Ranges(size);
  for (const track of others) addChunks(track, foreign);
  if (overlap(stretches, foreign.together())) throw new WireError("bad-value");
  return stretches;
}

/** @throws WireError `too-many` */
function onlyOne(places: readonly Place[], type: string): Place | undefined {
  const [place, other] = places.filter((candidate) => candidate.type === type);
  if (other !== undefined) throw new WireError("too-many");
  return place;
}

/** The file that is sent: stretches of the one that was given, what was written anew, and zeros between. */
class Parts {
  readonly #file: Blob;
  readonly #parts: BlobPart[] = [];
  readonly #zeros = new Blob([new Uint8Array(ZEROS_BYTES)]);

  constructor(file: Blob) {
    this.#file = file;
  }

  add(...parts: readonly BlobPart[]): void {
    this.#parts.push(...parts);
    if (this.#parts.length > MAX_PARTS) throw new WireError("too-many");
  }

  addZeros(length: number): void {
    for (let left = length; left > 0; left -= ZEROS_BYTES) this.add(this.#zeros.slice(0, left));
  }

  /** In order, and zeros for the rest of the box. */
  addStretches(stretches: readonly Range[], { contentAt, end }: Box): void {
    let at = contentAt;
    for (const { from, to } of stretches) {
      if (from < at) throw new WireError("bad-value");
      this.addZeros(from - at);
      this.add(this.#file.slice(from, to));
      at = to;
    }
    this.addZeros(end - at);
  }

  whole(): Blob {
    return new Blob(this.#parts);
  }
}
