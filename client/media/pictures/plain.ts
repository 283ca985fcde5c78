// What every format's reader gives: a picture without anything but what shows it.

import type { Bytes } from "#wire";

export interface PlainPicture {
  /** The file, in order: views of the bytes that were read, and what was written anew. */
  readonly parts: readonly Bytes[];
  /** As it is shown: turned, where the picture says so. */
  readonly width: number;
  readonly height: number;
}
