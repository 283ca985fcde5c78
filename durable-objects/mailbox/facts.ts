// What a mailbox knows of itself: whose it is, how far the account log was checked, and whether the account has ended.
// Without its table this is nobody's mailbox.

import { fromHex, type LogHead, parseUserId, toHex, type UserId } from "#wire";

export type Standing = { readonly kind: "nobody" } | { readonly kind: "owned"; readonly userId: UserId } | { readonly kind: "deleted" };

export class Facts {
  readonly #sql: SqlStorage;
  #standing: Standing | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get standing(): Standing {
    this.#standing ??= this.#readStanding();
    return this.#standing;
  }

  /** The head up to which this mailbox has checked the log. */
  get head(): LogHead | undefined {
    const text = this.#get("head");
    if (text === undefined) return undefined;
    const [length = "", hash = ""] = text.split(":");
    return { length: Number(length), hash: fromHex(hash) };
  }

  own(userId: UserId): void {
    this.#set("owner", userId);
    this.#standing = undefined;
  }

  moveHead({ length, hash }: LogHead): void {
    this.#set("head", `${length}:${toHex(hash)}`);
  }

  /** For ever. The owner's id goes: what is left says only that somebody was here. */
  end(): void {
    this.#set("deleted", "1");
    this.#sql.exec("DELETE FROM facts WHERE name <> 'deleted'");
    this.#standing = undefined;
  }

  /** Reads again what a transaction that was rolled back may have taken away. */
  forget(): void {
    this.#standing = undefined;
  }

  #readStanding(): Standing {
    if ([...this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'facts'")].length === 0) return { kind: "nobody" };
    if (this.#get("deleted") !== undefined) return { kind: "deleted" };
    const owner = this.#get("owner");
    return owner === undefined ? { kind: "nobody" } : { kind: "owned", userId: parseUserId(owner) };
  }

  #get(name: string): string | undefined {
    const [row] = [...this.#sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = ?1", name)];
    return row?.value;
  }

  #set(name: string, value: string): void {
    this.#sql.exec("INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", name, value);
  }
}
