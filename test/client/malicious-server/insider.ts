// What only a member of a group has, taken out of their store: for what they could write together with a server that lies, and for
// looking at what others make of it.

import { LABELS, labelled, type Secret, sign, systemRandom } from "#crypto";
import { decodeGroupRecord, type GroupRecord, sealGroupEntry } from "#protocol";
import {
  decodeGroupEntries,
  encodeGroupDetails,
  encodeGroupEntries,
  encodeGroupEntry,
  encodeGroupStatement,
  type GroupEntries,
  type GroupId,
  type GroupOperation,
  type GroupStatement,
  parseGroupId,
  serviceIdOfDevice,
} from "#wire";
import { memory } from "edgewise/store/memory";
import { expect } from "vitest";
import type { HttpRequest } from "#client";
import { GROUPS } from "../../../client/records/tables.ts";
import { type Reader, Vault } from "../../../client/records/vault.ts";
import { found } from "../../support/accounts.ts";
import { altered, type Answer, lyingAbout } from "./liar.ts";
import { type Key, keyOf } from "./second-device.ts";
import { PATIENCE, type Person } from "./town.ts";

export type SealedEntry = GroupEntries["entries"][number];

/** One device of a member, with everything that it knows of a group. */
export interface Insider {
  readonly record: GroupRecord;
  readonly key: Key;
  readonly person: Person;
}

export async function insiderOf(person: Person, groupId: GroupId): Promise<Insider> {
  const known = await readStore(person, (records) => records.get(GROUPS, groupId));
  return { person, key: await keyOf(person), record: decodeGroupRecord(found(found(known).record)) };
}

async function readStore<T>(person: Person, work: (records: Reader) => Promise<T>): Promise<T> {
  const vault = await Vault.open(memory({ shared: person.shared }), systemRandom);
  const value = await vault.read(work);
  await vault.close();
  return value;
}

export interface Forgery {
  readonly version: number;
  readonly operation: GroupOperation;
  /** Of the epoch that it is encrypted for, when the signer has not got it. */
  readonly secret?: Secret;
  readonly statement?: Partial<GroupStatement>;
}

/** An entry that the member signs with their real key, whether they may or not. */
export function forge({ record, key, person }: Insider, { version, operation, secret, statement }: Forgery): SealedEntry {
  const { state, secrets } = record;
  const { groupId } = state;
  const bytes = encodeGroupStatement({
    groupId,
    version,
    previousHead: state.head,
    createdSeconds: Math.floor(Date.now() / 1000),
    signer: serviceIdOfDevice({ userId: person.userId, deviceId: key.first.deviceId }),
    signerHead: key.account.head,
    ...encodeGroupDetails(operation),
    ...statement,
  });
  const signature = sign(key.first.identity.privateKey, labelled(LABELS.SIGN_GROUP_OPERATION, bytes), systemRandom);
  const entry = encodeGroupEntry({ statement: bytes, signature, snapshot: undefined });
  const groupSecret = secret ?? found(secrets).groupSecret;
  return { version, entry: sealGroupEntry(entry, { groupId, version }, groupSecret, systemRandom) };
}

/** The server shows another log. It is asked for what comes after a place. */
export function showing(change: (honest: GroupEntries, after: number) => GroupEntries): Answer {
  return lyingAbout("getGroup", (request, next) =>
    altered(next, (body) => encodeGroupEntries(change(decodeGroupEntries(body), afterOf(request)))),
  );
}

function afterOf({ url }: HttpRequest): number {
  return Number(new URL(url).searchParams.get("after"));
}

/** These in their places, whatever is there. */
export function withEntries(...shown: readonly SealedEntry[]): (honest: GroupEntries, after: number) => GroupEntries {
  return ({ entries, latest }, after) => {
    const others = entries.filter(({ version }) => !shown.some((entry) => entry.version === version));
    const all = [...others, ...shown.filter(({ version }) => version > after)].toSorted((a, b) => a.version - b.version);
    return { entries: all, latest: Math.max(latest, ...shown.map(({ version }) => version)) };
  };
}

/** The log as somebody sees it who reads it from the beginning. */
export async function logOf({ liar, client }: Person, groupId: GroupId): Promise<readonly SealedEntry[]> {
  const request = found(liar.asked.findLast(({ url, method }) => method === "GET" && url.includes(groupId)));
  const url = new URL(request.url);
  url.searchParams.set("after", "0");
  const answer = await liar.ask({ ...request, url: url.href, signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200) throw new Error(`${client.account.username ?? ""} may not read: ${answer.status}`);
  return decodeGroupEntries(answer.body).entries;
}

/** A group of the first's, in which everybody is. */
export async function groupOf(title: string, [admin, ...others]: readonly [Person, ...Person[]]): Promise<GroupId> {
  const group = await admin.client.conversations.createGroup(
    title,
    others.map(({ userId }) => userId),
  );
  await admin.client.settled();
  for (const other of others) {
    await expect
      .poll(async () => (await other.client.conversations.group(group.id).catch(() => undefined))?.members.length, PATIENCE)
      .toBe(others.length + 1);
  }
  return parseGroupId(group.id);
}

/** Reads the log: whoever is in need not be added. */
export async function look({ client, userId }: Person, groupId: GroupId): Promise<void> {
  await (await client.conversations.group(groupId)).add([userId]);
}

/** Title, members and roles, as somebody sees them. */
export async function seenBy({ client }: Person, groupId: GroupId): Promise<string> {
  const { title, members } = await client.conversations.group(groupId);
  return [title, ...members.map(({ peer, role }) => `${peer.userId} ${role}`)].join("\n");
}

/** The texts of a group, oldest first, with ~ before those before which something never came. */
export async function textsOf({ client }: Person, groupId: GroupId): Promise<readonly string[]> {
  const group = await client.conversations.group(groupId).catch(() => undefined);
  const messages = ((await group?.history({ limit: 200 })) ?? []).toReversed();
  return messages.map(({ text, gapBefore }) => (gapBefore ? `~${text}` : text));
}

/** What somebody was told about a group. */
export async function noticesIn({ client }: Person, groupId: GroupId): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const event of client.events({ after: "0", wait: false })) {
    if (event.type !== "notice" || event.group?.id !== groupId) continue;
    found.push(event.reason === undefined ? event.kind : `${event.kind}: ${event.reason}`);
  }
  return found;
}
