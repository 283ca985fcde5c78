// A group's object, called as the gateway calls it, and what it has written.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { type CheckedGroupAppend, type Group, type GroupAppendResult, parseServerSeed, ServerNames } from "#durable-objects";
import { type GroupAppend, type GroupId, toHex } from "#wire";
import type { GroupPairs, SharedGroup } from "../../support/shared-group.ts";

const names = new ServerNames(parseServerSeed(env.SERVER_SEED));

export function groupOf(groupId: GroupId): DurableObjectStub<Group> {
  const namespace = env.GROUP as unknown as DurableObjectNamespace<Group>; // the class that the test worker exports
  return namespace.getByName(names.group(groupId));
}

/** Without the signature, which the gateway has checked. */
export async function append(shared: SharedGroup, { version, entry, signer, authority }: GroupAppend): Promise<GroupAppendResult> {
  const checked: CheckedGroupAppend = { version, entry, signer, authority };
  return await groupOf(shared.at.groupId).append(checked);
}

export interface Page {
  readonly versions: readonly number[];
  readonly entries: readonly string[];
  readonly latest: number;
}

/** A page as texts; `undefined` when the object knows nothing of this key. */
export async function read(shared: SharedGroup, after = 0, pairs: GroupPairs = shared.pairs): Promise<Page | undefined> {
  const result = await groupOf(shared.at.groupId).read(pairs.member.publicKey.encode(), after);
  if (result.kind === "unknown") return undefined;
  const { entries, latest } = result;
  return { latest, versions: entries.map(({ version }) => version), entries: entries.map(({ entry }) => toHex(new Uint8Array(entry))) };
}

/** Everything that is stored, as text: each table with its rows. */
export async function dump(groupId: GroupId): Promise<string> {
  return await runInDurableObject(groupOf(groupId), (_, { storage: { sql } }) => {
    const tables = [...sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")];
    const rows = tables.map(({ name }) => [name, [...sql.exec(`SELECT * FROM "${name}"`)].map((row) => Object.values(row).map(asText))]);
    return JSON.stringify(rows);
  });
}

function asText(value: SqlStorageValue): string {
  return value instanceof ArrayBuffer ? toHex(new Uint8Array(value)) : String(value);
}

/** What statements of the object have written, in rows, from this call on. */
export async function countRows(groupId: GroupId): Promise<() => number> {
  return await runInDurableObject(groupOf(groupId), (_, { storage: { sql } }) => {
    let total = 0;
    const exec = sql.exec.bind(sql);
    sql.exec = <T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): SqlStorageCursor<T> => {
      const cursor = exec<T>(query, ...bindings);
      total += cursor.rowsWritten;
      return cursor;
    };
    return () => total;
  });
}
