// The database of a store in the browser: its two object stores, and what happens when it does not open or is taken away.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { WrappedSecret } from "#crypto";
import type { Bytes } from "#wire";
import { ClientError } from "../errors.ts";
import { translated } from "./indexeddb-errors.ts";

const FORMAT = 1;
/** For a deletion that does not end, or another tab that does not give way. */
const PATIENCE_MILLISECONDS = 5_000;

export interface Schema extends DBSchema {
  records: { key: string; value: Bytes };
  keyring: { key: string; value: WrappedSecret };
}

export type Database = IDBPDatabase<Schema>;

/**
 * `lost` is called when the connection is over without our doing: a newer program wants to change the database, or somebody
 * deletes it. To open it again in silence could mean an empty one.
 * @throws ClientError `storage-locked`, `upgrade-required`, …
 */
export function openDatabase(name: string, lost: () => void): Promise<Database> {
  const opening = openDB<Schema>(name, FORMAT, {
    upgrade(database) {
      database.createObjectStore("records");
      database.createObjectStore("keyring");
    },
    blocking() {
      // Whoever does not close here stops the other tab.
      void closeWhenOpen(opening);
      lost();
    },
    terminated: lost,
  });
  return translated(() => withPatience(opening));
}

async function withPatience(opening: Promise<Database>): Promise<Database> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ClientError("storage-locked")), PATIENCE_MILLISECONDS);
  try {
    return await Promise.race([opening, promise]);
  } catch (error) {
    void closeWhenOpen(opening);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function closeWhenOpen(opening: Promise<Database>): Promise<void> {
  const [outcome] = await Promise.allSettled([opening]);
  if (outcome.status === "fulfilled") outcome.value.close();
}
