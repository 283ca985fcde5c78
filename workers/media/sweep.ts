// Removes files that are too old, a stretch of the bucket at a time. Where it stopped is kept in the bucket itself, and the next
// run carries on from there; two runs at once, or one that ends in the middle, do some of it twice. A lifecycle rule of the
// bucket does the same for nothing (docs/server.md): this is for whoever has set none, and for this machine.

import { MEDIA_PREFIX } from "#durable-objects";
import { isExpired } from "./bucket.ts";

export interface SweepBounds {
  readonly pages: number;
  /** At most a thousand. */
  readonly filesPerPage: number;
}

/** With what is removed, a run is at most 42 requests to the bucket, which every plan allows. */
const BOUNDS: SweepBounds = { pages: 20, filesPerPage: 1000 };
/** Not among the files. */
const POSITION_KEY = "sweep-position";

/** Returns how many files were removed. */
export async function sweepMedia(bucket: R2Bucket, nowSeconds: number, bounds: SweepBounds = BOUNDS): Promise<number> {
  let removed = 0;
  let position = await (await bucket.get(POSITION_KEY))?.text();
  for (let page = 0; page < bounds.pages; page++) {
    const { objects, truncated } = await bucket.list({ prefix: MEDIA_PREFIX, limit: bounds.filesPerPage, ...after(position) });
    const old = objects.filter((file) => isExpired(file, nowSeconds)).map(({ key }) => key);
    if (old.length > 0) await bucket.delete(old);
    removed += old.length;
    position = truncated ? objects.at(-1)?.key : undefined;
    if (position === undefined) break;
  }
  await bucket.put(POSITION_KEY, position ?? "");
  return removed;
}

function after(position: string | undefined): Pick<R2ListOptions, "startAfter"> {
  return position === undefined || position === "" ? {} : { startAfter: position };
}
