// What wrangler.toml binds for Durable Objects. Each takes what it needs and no more.

import type { Jurisdictional } from "./jurisdiction.ts";

/** `MAILBOX` is where a frame for somebody else's mailbox goes. */
export interface MailboxEnv extends Jurisdictional {
  readonly SERVER_SEED: string;
  /** KEYS_DB, KEYS_DB_1 … are found by name. */
  readonly KEYS_DB: D1Database;
}
