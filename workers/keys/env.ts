// All that this module reaches: the databases of logs, prekeys and usernames, and how rows are placed in them.

import { databaseOf, type ServerNames } from "#durable-objects";
import { type Bytes, type UserId, type Username, toUtf8, uuidToBytes } from "#wire";
import { Unavailable, within } from "../deadline.ts";

export interface KeysEnv {
  /** KEYS_DB, KEYS_DB_1, … */
  readonly databases: readonly D1Database[];
  readonly names: Pick<ServerNames, "slot" | "usernameTag">;
}

export function databaseOfUser(env: KeysEnv, userId: UserId): D1Database {
  return databaseOf(env.databases, env.names.slot(uuidToBytes(userId)));
}

export function tagOf(env: KeysEnv, username: Username): Bytes {
  return env.names.usernameTag(toUtf8(username));
}

/** Names are placed apart from their accounts: by tag. */
export function databaseOfTag(env: KeysEnv, tag: Bytes): D1Database {
  return databaseOf(env.databases, env.names.slot(tag));
}

/** Small databases stall for many seconds at times; who waits longer than this is better off asking again. */
const QUERY_MILLISECONDS = 1500;

/** A blob as the database returns it. */
export type Blob = readonly number[];

/** The rows of each statement; all of them or none took effect. @throws Unavailable */
export async function batch(database: D1Database, statements: readonly D1PreparedStatement[]): Promise<readonly (readonly unknown[])[]> {
  try {
    const answers = await within(QUERY_MILLISECONDS, database.batch([...statements]));
    return answers.map(({ results }) => results);
  } catch (cause) {
    throw cause instanceof Unavailable ? cause : new Unavailable({ cause });
  }
}
