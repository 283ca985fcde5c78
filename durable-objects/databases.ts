// The D1 databases that hold account logs, prekeys and usernames: KEYS_DB, KEYS_DB_1, …

import { numberedBindings, ofSlot } from "./numbered.ts";

/** Bindings of an environment that are databases of ours, in order. */
export function databasesOf(env: Readonly<Record<string, unknown>>): readonly D1Database[] {
  return numberedBindings(env, "KEYS_DB") as readonly D1Database[]; // bound under this name by wrangler.toml as nothing else
}

export function databaseOf(databases: readonly D1Database[], slot: number): D1Database {
  const database = ofSlot(databases, slot);
  if (database === undefined) throw new RangeError("KEYS_DB is not bound");
  return database;
}
