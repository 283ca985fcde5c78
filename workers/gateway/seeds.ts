// Versions of the server's seed: the newest makes what expires, all of them accept it.

import type { SeedVersion } from "#durable-objects";
import { UsageError } from "#wire";

/** @param seeds newest first */
export function newestOf(seeds: readonly SeedVersion[]): SeedVersion {
  const [newest] = seeds;
  if (newest === undefined) throw new UsageError("bad-argument", "SERVER_SEED has no version");
  return newest;
}
