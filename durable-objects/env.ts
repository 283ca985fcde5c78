// What wrangler.toml binds for Durable Objects. Each takes what it needs and no more.

export interface MailboxEnv {
  readonly SERVER_SEED: string;
  /** Where a frame for somebody else's mailbox goes. */
  readonly MAILBOX: DurableObjectNamespace;
  /** KEYS_DB, KEYS_DB_1 … are found by name. */
  readonly KEYS_DB: D1Database;
}
