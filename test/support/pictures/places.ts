// Pictures with a mark in every place where metadata may stand: one picture for each place, and one of each kind with all of
// them at once. All of them can be shown.

import { ascii, type Bytes, concat } from "#wire";
import * as gif from "./gif.ts";
import { profile } from "./icc.ts";
import * as jpeg from "./jpeg.ts";
import * as png from "./png.ts";
import { type ByteOrder, exif, MARK, mistypedExif } from "./tiff.ts";
import * as webp from "./webp.ts";

export interface Marked {
  readonly name: string;
  readonly kind: "jpeg" | "png" | "webp" | "gif";
  readonly bytes: Bytes;
  /** As shown. */
  readonly width: number;
  readonly height: number;
}

const BEHIND: Bytes = concat(ascii(MARK), jpeg.jpeg({ before: [jpeg.segment(0xfe, ascii(MARK))] }), ascii(`....ftypmp42${MARK}`));

function ofJpeg(): Marked[] {
  const silent = Object.values(jpeg.SILENT_SEGMENTS);
  const shown = [jpeg.jfif(), jpeg.exifSegment(exif(3)), ...jpeg.profileSegments(profile())];
  return [
    ...Object.entries(jpeg.SILENT_SEGMENTS).map(([name, segment]) => marked("jpeg", name, jpeg.jpeg({ before: [segment] }))),
    ...turned("jpeg", (block) => jpeg.jpeg({ before: [jpeg.exifSegment(block)] })),
    marked("jpeg", "EXIF with a turn of a wrong type", jpeg.jpeg({ before: [jpeg.exifSegment(mistypedExif())] })),
    marked("jpeg", "JFIF with a thumbnail", jpeg.jpeg({ before: [jpeg.jfif()] })),
    marked("jpeg", "JFIF, against what the components are called", jpeg.jpeg({ before: [jpeg.jfif()], components: "RGB" })),
    marked("jpeg", "a colour profile", jpeg.jpeg({ before: jpeg.profileSegments(profile(), 3) })),
    marked("jpeg", "Adobe, in red, green and blue", jpeg.jpeg({ before: [jpeg.adobe(0)] })),
    marked("jpeg", "names of components that say the same", jpeg.jpeg({ before: silent, components: "RGB" })),
    marked("jpeg", "between scans", jpeg.jpeg({ between: concat(...silent) })),
    marked("jpeg", "behind the end", jpeg.jpeg({ after: BEHIND })),
    marked("jpeg", "everything", jpeg.jpeg({ before: [...shown, ...silent], between: concat(...silent), after: BEHIND, restarts: true })),
  ];
}

function ofPng(): Marked[] {
  const silent = Object.values(png.SILENT_CHUNKS);
  const shown = [...png.COLOUR_CHUNKS, png.profileChunk(profile()), png.exifChunk(exif(3))];
  return [
    ...Object.entries(png.SILENT_CHUNKS).map(([name, chunk]) => marked("png", name, png.png({ before: [chunk] }))),
    ...turned("png", (block) => png.png({ before: [png.exifChunk(block)] })),
    marked("png", "colours for screens of few", png.png({ before: [png.chunk("PLTE", ascii(`${MARK}xx`))] })),
    marked("png", "a colour profile", png.png({ before: [png.profileChunk(profile())] })),
    marked("png", "other words about colours", png.png({ before: [...png.COLOUR_CHUNKS, ...silent] })),
    marked("png", "an animation", png.png({ before: [...png.ANIMATION.before, ...silent], behind: png.ANIMATION.behind })),
    marked("png", "between the picture and the end", png.png({ behind: silent })),
    marked("png", "behind the end", png.png({ after: BEHIND })),
    marked("png", "everything", png.png({ before: [...shown, ...silent], behind: silent, after: BEHIND, indexed: true })),
  ];
}

function ofWebp(): Marked[] {
  const { FLAGS, animation, extended, frame, lossless } = webp;
  const silent = Object.values(webp.SILENT_CHUNKS);
  const turnedBy = (block: Bytes): Bytes => webp.webp([extended(FLAGS.exif), lossless(), webp.chunk("EXIF", block)]);
  const colours = webp.chunk("ICCP", profile());
  const all = FLAGS.profile | FLAGS.exif | FLAGS.xmp;
  return [
    ...Object.entries(webp.SILENT_CHUNKS).map(([name, chunk]) => marked("webp", name, webp.webp([extended(FLAGS.xmp), lossless(), chunk]))),
    ...turned("webp", turnedBy),
    ...turned("webp", (block) => turnedBy(concat(ascii("Exif\0\0"), block)), "called as in JPEG"),
    marked("webp", "a colour profile", webp.webp([extended(FLAGS.profile), colours, lossless()])),
    marked("webp", "what no flag announces", webp.webp([extended(0), colours, lossless(), webp.chunk("EXIF", exif(3)), ...silent])),
    marked("webp", "behind a simple picture", webp.webp([lossless(), webp.chunk("EXIF", exif(3)), ...silent])),
    marked("webp", "behind the end", webp.webp([lossless()], BEHIND)),
    marked(
      "webp",
      "an animation",
      webp.webp([extended(FLAGS.animation), animation, frame(lossless(), ...silent), frame(lossless([9, 99]))]),
    ),
    marked(
      "webp",
      "everything",
      webp.webp([extended(all), ...silent, colours, lossless(), webp.chunk("EXIF", exif(3)), ...silent], BEHIND),
    ),
  ];
}

function ofGif(): Marked[] {
  const silent = Object.values(gif.SILENT_EXTENSIONS);
  return [
    ...Object.entries(gif.SILENT_EXTENSIONS).map(([name, extension]) => marked("gif", name, gif.gif({ before: [extension] }))),
    marked("gif", "an animation", gif.gif({ before: [gif.loops, ...silent, gif.control], behind: [gif.control, gif.frame(1), ...silent] })),
    marked("gif", "behind the end", gif.gif({ after: BEHIND })),
  ];
}

/** With EXIF, in both orders of bytes, and each way to turn. */
function turned(kind: Marked["kind"], build: (exif: Bytes) => Bytes, note = ""): Marked[] {
  const orders: readonly ByteOrder[] = ["big", "little"];
  return orders.flatMap((order) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((orientation) => {
      const name = `EXIF, turned by ${orientation}, ${order} end first${note === "" ? "" : `, ${note}`}`;
      const upright = marked(kind, name, build(exif(orientation, order)));
      return kind === "webp" || orientation < 5 || orientation > 8 ? upright : { ...upright, width: upright.height, height: upright.width };
    }),
  );
}

const SIZES: Readonly<Record<Marked["kind"], { readonly width: number; readonly height: number }>> = {
  jpeg: { width: jpeg.WIDTH, height: jpeg.HEIGHT },
  png: { width: png.WIDTH, height: png.HEIGHT },
  webp: { width: webp.WIDTH, height: webp.HEIGHT },
  gif: { width: gif.WIDTH, height: gif.HEIGHT },
};

function marked(kind: Marked["kind"], name: string, bytes: Bytes): Marked {
  return { name: `${kind}: ${name}`, kind, bytes, ...SIZES[kind] };
}

export const MARKED: readonly Marked[] = [...ofJpeg(), ...ofPng(), ...ofWebp(), ...ofGif()];
