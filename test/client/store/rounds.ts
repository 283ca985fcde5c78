// What a program does to its store before it is killed, and what must be true of the store afterwards.

import { ascii } from "#wire";
import type { StoreReader, StoreWriter } from "../../../client/ports.ts";

export const FIRST = "a-first";
const LAST = "z-last";
const PAGES = 40;

export async function numberAt(transaction: StoreReader, key: string): Promise<number> {
  const value = await transaction.get(key);
  return value === undefined ? 0 : Number(String.fromCharCode(...value));
}

/** The first thing and the last thing of a transaction are the same number; in between, pages fill, empty and move. */
export async function round(transaction: StoreWriter): Promise<number> {
  const next = (await numberAt(transaction, FIRST)) + 1;
  transaction.put(FIRST, ascii(String(next)));
  for (let i = 0; i < 8; i++)
    transaction.put(`page-${(next * 7 + i) % PAGES}`, new Uint8Array(100 + ((next * 131 + i * 977) % 9_000)).fill(next));
  transaction.delete(`page-${(next * 3) % PAGES}`);
  transaction.put(LAST, ascii(String(next)));
  return next;
}

/** Each page is filled with one number, no later than the last round's; the first thing and the last are of one round. */
export async function lastWholeRound(transaction: StoreReader): Promise<number> {
  const [first, last] = [await numberAt(transaction, FIRST), await numberAt(transaction, LAST)];
  if (first !== last) throw new Error(`a transaction was cut in two: ${first} and ${last}`);
  for (const { key, value } of await transaction.scan({ from: "page-", to: "page." })) {
    if (value.some((byte) => byte !== value[0])) throw new Error(`two rounds are mixed in ${key}`);
  }
  return last;
}
