// What vitest.config.ts binds for tests of the server.

declare namespace Cloudflare {
  interface Env {
    readonly SERVER_SEED: string;
    readonly MAILBOX: DurableObjectNamespace;
    readonly GROUP: DurableObjectNamespace;
    readonly FAN_OUT: DurableObjectNamespace;
    readonly UPLOAD: DurableObjectNamespace;
    readonly MEDIA: R2Bucket;
    readonly RENDEZVOUS: DurableObjectNamespace;
    readonly KEYS_DB: D1Database;
    readonly KEYS_DB_1: D1Database;
    readonly KEYS_DB_2: D1Database;
  }
}

declare module "*.sql?raw" {
  const text: string;
  export default text;
}
