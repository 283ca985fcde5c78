// The newest request of a device that wants to be linked: kept for two minutes, or until one was let in, for devices that connect in
// that time. One fact of the mailbox, so that it goes with the rest. Whether it is worth anything, the devices find out.

import { fromHex, LINK_TICKET_LIFETIME_SECONDS, parseRendezvousId, sameBytes, toHex } from "#wire";
import type { LinkAsked } from "./api.ts";

export class LinkRequests {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  pending(nowMilliseconds: number): LinkAsked | undefined {
    const kept = this.#read();
    return kept === undefined || nowMilliseconds >= kept.expiresMilliseconds ? undefined : kept.asked;
  }

  /** When there is something to forget. */
  get expiresMilliseconds(): number | undefined {
    return this.#read()?.expiresMilliseconds;
  }

  isPending({ rendezvousId, commitment }: LinkAsked, nowMilliseconds: number): boolean {
    const pending = this.pending(nowMilliseconds);
    return pending?.rendezvousId === rendezvousId && sameBytes(pending.commitment, commitment);
  }

  /** Takes the place of the one before. */
  keep({ rendezvousId, commitment }: LinkAsked, nowMilliseconds: number): void {
    const expires = nowMilliseconds + LINK_TICKET_LIFETIME_SECONDS * 1000;
    const value = `${expires}:${rendezvousId}:${toHex(commitment)}`;
    this.#sql.exec("INSERT INTO facts (name, value) VALUES ('link-request', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", value);
  }

  /** Forgets what is too old. */
  clear(nowMilliseconds: number): void {
    const expires = this.expiresMilliseconds;
    if (expires !== undefined && nowMilliseconds >= expires) this.drop();
  }

  drop(): void {
    this.#sql.exec("DELETE FROM facts WHERE name = 'link-request'");
  }

  #read(): { readonly expiresMilliseconds: number; readonly asked: LinkAsked } | undefined {
    const [row] = [...this.#sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'link-request'")];
    if (row === undefined) return undefined;
    const [expires = "", rendezvousId = "", commitment = ""] = row.value.split(":");
    const asked = { rendezvousId: parseRendezvousId(rendezvousId), commitment: fromHex(commitment) };
    return { expiresMilliseconds: Number(expires), asked };
  }
}
