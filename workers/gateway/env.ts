// What wrangler.toml binds for this Worker. Only index.ts reads it, and hands each part to the one that needs it.

export interface Env {
  /** A list of versions, `1:…,2:…`: every key of this server follows from it. */
  readonly SERVER_SEED: string;
  /** Origins that this server answers to, separated by commas. Without it: whatever the platform routes here. */
  readonly ORIGINS?: string;
  /** When set, an account is made only with this code. */
  readonly INVITE_CODE?: string;
  readonly MAILBOX: DurableObjectNamespace;
  readonly GROUP: DurableObjectNamespace;
  readonly FAN_OUT: DurableObjectNamespace;
  readonly UPLOAD: DurableObjectNamespace;
  /** Files. An account of the platform without R2 has none, and everything else works. */
  readonly MEDIA?: R2Bucket;
  /** What an account may upload in a day, in bytes. Unset: 2 GiB. */
  readonly MEDIA_BYTES_PER_DAY?: string;
  readonly RENDEZVOUS: DurableObjectNamespace;
  /** `eu` or `fedramp`, chosen before the first account and never changed. Unset: wherever the platform likes. */
  readonly JURISDICTION?: string;
  /** Counts of operations and codes. Without it they are not counted. */
  readonly COUNTERS?: AnalyticsEngineDataset;
  /** Requests of one user. Without a binding there is no limit, which is for benches only. */
  readonly USER_LIMIT?: RateLimit;
  /** Requests without a token, by the network they come from. */
  readonly ADDRESS_LIMIT?: RateLimit;
  /** Requests without a token, by the account they are about. */
  readonly TARGET_LIMIT?: RateLimit;
  /** Requests about one group: there are 600 devices in it. */
  readonly GROUP_LIMIT?: RateLimit;
}
