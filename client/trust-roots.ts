// Whom sender certificates must lead to: what the server publishes, learned when the account was made and again when a certificate
// leads elsewhere, because a server that is given another seed signs under a new root. What a certificate says is believed only
// if the sender's account log agrees.

import { parsePublicKey, type PublicKey } from "#crypto";
import { sameBytes } from "#wire";
import type { Core } from "./core.ts";
import { OWN, type OwnAccount } from "./records/tables.ts";

/** So often at most: anybody can send something under a root that nobody knows. */
const ONCE_PER_MILLISECONDS = 60_000;

export class TrustRoots {
  readonly #core: Core;
  #roots: readonly PublicKey[];
  #askedMilliseconds: number | undefined;

  constructor(core: Core, { trustRoots }: OwnAccount) {
    this.#core = core;
    this.#roots = trustRoots.map(parsePublicKey);
  }

  get roots(): readonly PublicKey[] {
    return this.#roots;
  }

  /** Asks the server again, unless that was done a moment ago. True when something is new. @throws ClientError */
  async renew(): Promise<boolean> {
    const { vault, server, clock } = this.#core;
    const now = clock.nowMilliseconds();
    if (this.#askedMilliseconds !== undefined && Math.abs(now - this.#askedMilliseconds) < ONCE_PER_MILLISECONDS) return false;
    const { trustRoots } = await server.getConfig();
    this.#askedMilliseconds = now;
    const encoded = trustRoots.map((root) => root.encode());
    const known = this.#roots.map((root) => root.encode());
    const isNew = encoded.some((root) => !known.some((other) => sameBytes(root, other)));
    this.#roots = trustRoots;
    await vault.write(async (records) => {
      const own = await records.get(OWN);
      if (own !== undefined) records.put(OWN, { ...own, trustRoots: encoded });
    });
    return isNew;
  }
}
