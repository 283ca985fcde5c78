// What only a member of a group has, taken out of their store: for what they could write together with a server that lies, and for
// looking at what others make of it.

import { LABELS, labelled, type Secret, sign, systemRandom } from "#crypto";
import {
  decodeGroupRecord,
  decodeSenderKeyRecord,
  distributionIdOf,
  type GroupRecord,
  sealForGroup,
  sealForOne,
  sealGroupEntry,
} from "#protocol";
import {
  type Body,
  type Bytes,
  decodeGroupEntries,
  type Deliver,
  encodeContent,
  encodeContentCopy,
  encodeGroupDetails,
  encodeGroupEntries,
  encodeGroupEntry,
  encodeGroupStatement,
  type GroupEntries,
  type GroupId,
  type GroupOperation,
  type GroupStatement,
  parseGroupId,
  type Position,
  serviceIdOfDevice,
  type UserId,
} from "#wire";
import { memory } from "edgewise/store/memory";
import { expect } from "vitest";
import type { HttpRequest } from "#client";
import { drawMessageId, next } from "../../../client/core.ts";
import { CERTIFICATE, GROUPS, OWN_SENDER_KEYS } from "../../../client/records/tables.ts";
import { type Reader, Vault, type Writer } from "../../../client/records/vault.ts";
import { addJob } from "../../../client/sending/queue.ts";
import { found } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
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

async function writeStore(person: Person, work: (records: Writer) => Promise<void>): Promise<void> {
  const vault = await Vault.open(memory({ shared: person.shared }), systemRandom);
  await vault.write(work);
  await vault.close();
}

/** What somebody says about a group. */
export interface Told {
  readonly groupId: GroupId;
  readonly version: number;
  readonly stateHash: Bytes;
  readonly body: Body;
}

/** An encoded content, as the person's program would not write it. */
async function write(person: Person, { body, ...conversation }: Told, position?: Position): Promise<Bytes> {
  const { first, account } = await keyOf(person);
  return encodeContent({
    sender: serviceIdOfDevice({ userId: person.userId, deviceId: first.deviceId }),
    senderHead: account.head,
    position,
    messageId: drawMessageId(systemRandom),
    sentAt: Date.now(),
    conversation: { kind: "group", ...conversation },
    body,
  });
}

/** Says it through the session with somebody. */
export async function tell(person: Person, recipient: UserId, told: Told): Promise<void> {
  const content = await write(person, told);
  await writeStore(person, async (records) => {
    const envelopeId = drawMessageId(systemRandom);
    const job = { recipient, envelopeId, content, kind: "content", only: undefined, copies: undefined, message: undefined } as const;
    await addJob(records, { ...job, ordinal: await next(records, "job") });
  });
  await person.client.settled();
}

export interface Sealed {
  /** Whose sender key it is under; that of whoever seals it, for an honest one. */
  readonly keyOf?: Person;
  /** Who says that they wrote it. */
  readonly author?: Person;
  /** In which group it is sent, when it is not the one that it is about. */
  readonly into?: GroupId;
  readonly reader: Person;
  readonly told: Told;
}

/** A message to a group, as one reader's mailbox would hand it out. */
export async function sealedFor(
  sealer: Person,
  { keyOf: owner = sealer, author = sealer, reader, told, into: groupId = told.groupId }: Sealed,
): Promise<Deliver> {
  const { key } = found(await readStore(owner, (records) => records.get(OWN_SENDER_KEYS, groupId)));
  const { bytes: senderCertificate } = found(await readStore(sealer, (records) => records.get(CERTIFICATE)));
  const content = await write(author, told, { counter: 1, previousHash: undefined });
  const plaintext = encodeContentCopy({ recipientDevice: undefined, content });
  // Each under a message key of its own: one that was used is refused for that.
  let record = decodeSenderKeyRecord(key);
  for (let i = 0; i <= forged; i++) record = accepted(sealForGroup(record, distributionIdOf(groupId), plaintext)).state;
  forged++;
  const sealed = accepted(sealForGroup(record, distributionIdOf(groupId), plaintext)).output;
  const { identity: sender } = (await keyOf(sealer)).first;
  const recipient = (await keyOf(reader)).first.identity.publicKey;
  const input = { sender, senderCertificate, kind: "sender-key", content: sealed, contentHint: 1, groupId: undefined, recipient } as const;
  const messageId = drawMessageId(systemRandom);
  return {
    kind: "deliver",
    guid: ++guids,
    serverTimestamp: Date.now(),
    envelope: { type: "sealed", messageId, content: sealForOne(input, systemRandom), ephemeral: false },
  };
}

/** Far from those of the server. */
let guids = 1_000_000_000;
let forged = 0;

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
