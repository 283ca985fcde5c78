// What every format's reader gives: a picture without anything but what shows it.

import type { Bytes } from "#wire";
import type { Orientation } from "./orientation.ts";

export interface PlainPicture {
  /** The file, in order: views of the bytes that were read, and what was written anew. */
  readonly parts: readonly Bytes[];
  /** As stored: before it is turned. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}
