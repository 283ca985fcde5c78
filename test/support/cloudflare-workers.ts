// What "cloudflare:workers" is to tests in Node: a base class to derive from, for files that import Durable Objects along
// with what they use. Durable Objects themselves are tested in workerd.

export class DurableObject {
  protected readonly ctx: unknown;
  protected readonly env: unknown;

  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}
