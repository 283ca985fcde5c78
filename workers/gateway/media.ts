// Files, where this server has somewhere to keep them.

import type { MediaServices } from "../media/index.ts";
import type { Services } from "./call.ts";
import { Problem } from "./problem.ts";

/** @throws Problem `no-media` where no bucket is bound */
export function requireMedia({ media }: Services): MediaServices {
  if (media === undefined) throw new Problem("no-media");
  return media;
}
