// The D1 databases that hold account logs, prekeys and usernames: KEYS_DB, KEYS_DB_1, … Slots are spread evenly in
// order, so that adding a database moves whole ranges of them.

const SLOTS = 4096;

/** Bindings of an environment that are databases of ours, in order. */
export function databasesOf(env: Readonly<Record<string, unknown>>): readonly D1Database[] {
  const names = ["KEYS_DB", ...Array.from({ length: 255 }, (_, i) => `KEYS_DB_${i + 1}`)];
  const databases: D1Database[] = [];
  for (const name of names) {
    const database = env[name];
    if (database === undefined) break;
    databases.push(database as D1Database); // bound under this name by wrangler.toml as nothing else
  }
  return databases;
}

export function databaseOf(databases: readonly D1Database[], slot: number): D1Database {
  const database = databases[Math.floor((slot * databases.length) / SLOTS)];
  if (database === undefined) throw new RangeError("KEYS_DB is not bound");
  return database;
}
