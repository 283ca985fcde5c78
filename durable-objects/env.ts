// What wrangler.toml binds for Durable Objects. Each takes what it needs and no more.

import type { ChunkReference } from "./fan-out/api.ts";
import type { Jurisdictional } from "./jurisdiction.ts";

/** `MAILBOX` is where a frame for somebody else's mailbox goes. */
export interface MailboxEnv extends Jurisdictional {
  readonly SERVER_SEED: string;
  /** KEYS_DB, KEYS_DB_1 … are found by name. */
  readonly KEYS_DB: D1Database;
  /** What an account may upload in a day. Unset: `MEDIA_BYTES_PER_DAY` of wire/limits.ts. */
  readonly MEDIA_BYTES_PER_DAY?: string;
}

export interface FanOutEnv {
  /** FANOUT_QUEUE, FANOUT_QUEUE_1 … are found by name. */
  readonly FANOUT_QUEUE: Queue<ChunkReference>;
  /** After how many seconds a chunk that nobody confirmed goes into the queue again. Unset: 60. */
  readonly FANOUT_PAUSE_SECONDS?: string;
}

export interface UploadEnv {
  readonly MEDIA: R2Bucket;
}

export interface RendezvousEnv {
  /** How long devices may take to meet. Unset: 120; shorter for tests that wait for the end. */
  readonly LINK_SECONDS?: string;
}
