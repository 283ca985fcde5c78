// How far the store of one program is: what must never go back, whenever the program was killed.

import { keyPairFromPrivate, parsePublicKey, Secret, systemRandom } from "#crypto";
import type { SessionRecord } from "#protocol";
import { parseDeviceId, toHex, type UserId } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { COUNTERS, JOBS, MESSAGES, NO_COUNTERS, OWN, SESSIONS } from "../../../client/records/tables.ts";
import { type Reader as Records, Vault } from "../../../client/records/vault.ts";
import type { Reader, Traffic } from "./traffic.ts";

/** A ratchet key, by its place among those that its owner has used, and the next counter. */
type Place = readonly [ratchetKey: number, counter: number];

export interface Standing {
  readonly sending: Place;
  readonly receiving: Place;
  /** How many messages, events, jobs and keys were ever made here. */
  readonly counters: readonly number[];
}

export interface Look {
  readonly path: string;
  readonly self: UserId;
  readonly peer: UserId;
  readonly traffic: Traffic;
}

const NOWHERE: Place = [-1, 0];
const FIRST_DEVICE = parseDeviceId(1);

/** The keys of the account that a store belongs to. */
export async function readerOf(path: string): Promise<Reader> {
  const own = await readStore(path, (records) => records.get(OWN));
  if (own === undefined) throw new Error("there is no account");
  const { userId, identity, trustRoots } = own;
  return { userId, identity: keyPairFromPrivate(new Secret(identity)), trustRoots: trustRoots.map(parsePublicKey) };
}

/** @throws when anything that the program needs to go on cannot be read */
export async function standingOf({ path, self, peer, traffic }: Look): Promise<Standing> {
  return await readStore(path, async (records) => {
    await records.all(JOBS, peer);
    await records.all(MESSAGES, peer);
    const { sending, receiving } = onlySession(await records.get(SESSIONS, peer, FIRST_DEVICE)).ratchet;
    const newest = receiving[0];
    return {
      sending: [placeOf(traffic, self, sending.ratchet.publicKey.encode()) ?? traffic.chainsOf(self).length, sending.chain.index],
      // Before anything came, it is one of their prekeys.
      receiving: newest === undefined ? NOWHERE : [placeOf(traffic, peer, newest.ratchetKey.encode()) ?? -1, newest.chain.index],
      counters: Object.values((await records.get(COUNTERS)) ?? NO_COUNTERS),
    };
  });
}

/** Where a sender must be at least, by what has left its program. */
export function sentBy(sender: UserId, traffic: Traffic): Place {
  const chains = traffic.chainsOf(sender);
  return [chains.length - 1, chains.at(-1)?.ciphertexts.length ?? 0];
}

export function isBefore([key, counter]: Place, [otherKey, otherCounter]: Place): boolean {
  return key < otherKey || (key === otherKey && counter < otherCounter);
}

async function readStore<T>(path: string, work: (records: Records) => Promise<T>): Promise<T> {
  const vault = await Vault.open(sqlite(path), systemRandom);
  try {
    return await vault.read(work);
  } finally {
    await vault.close();
  }
}

/** Nothing ever happens here that would need another one. */
function onlySession(record: SessionRecord | undefined): NonNullable<SessionRecord["current"]> {
  if (record?.current === undefined) throw new Error("the session is gone");
  if (record.archived.length > 0) throw new Error("the session was replaced");
  return record.current;
}

/** `undefined` for one that nobody has seen on the way. */
function placeOf(traffic: Traffic, owner: UserId, ratchetKey: Uint8Array): number | undefined {
  const place = traffic.chainsOf(owner).findIndex((chain) => chain.ratchetKey === toHex(ratchetKey));
  return place === -1 ? undefined : place;
}
