// What this device tells the others of its account: what was decided about somebody, what the account calls itself and tells of
// itself, which groups it is in. Each is a state and not an event: it has no place in a sequence, the later one holds, and it may
// be told again. What was sent is an event, and has its place.

import { decodeGroupRecord } from "#protocol";
import { decodeContent, type DeviceId, encodeGroupState, parseUsername, type Sync, type UserId } from "#wire";
import type { ContactState } from "../api.ts";
import { avatarOf } from "../avatars/records.ts";
import { toPointer } from "../media/attachments.ts";
import { contactOf } from "../records/contact.ts";
import { type Contact, CONTACTS, GROUPS, type Job, type KnownGroup, OWN, type OwnAccount } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { canCompose, compose, composeUnplaced, type Sending } from "./compose.ts";
import { ownProfile } from "./profile.ts";

type Told = Sync["sync"];
export type ToldContact = Extract<Told, { readonly kind: "contact" }>;

export async function hasOtherDevices({ accounts, self }: Sending, records: Reader): Promise<boolean> {
  return ((await accounts.find(records, self.local.address.userId))?.devices.length ?? 1) > 1;
}

/** To all of them, or to one. */
export async function tellOwnDevices(sending: Sending, records: Writer, sync: Told, only?: DeviceId): Promise<void> {
  const recipient = sending.self.local.address.userId;
  if (!(await hasOtherDevices(sending, records)) || !(await canCompose(sending, records, recipient))) return;
  await composeUnplaced(sending, records, { recipient, body: { kind: "sync", sync }, only });
}

/** What the server has for somebody else: our other devices show it, too. What it never takes is shown where it was written. */
export async function tellSent(sending: Sending, records: Writer, { recipient, content, kind, only }: Job): Promise<void> {
  const own = sending.self.local.address.userId;
  if (kind !== "content" || only !== undefined || recipient === own) return;
  if (!(await hasOtherDevices(sending, records)) || !(await canCompose(sending, records, own))) return;
  const { body, conversation } = decodeContent(content);
  const isShown = body.kind === "text" || body.kind === "edit" || body.kind === "delete" || body.kind === "reaction";
  if (!isShown || conversation.kind !== "direct") return;
  await compose(sending, records, { recipient: own, body: { kind: "sync", sync: { kind: "sent", content } } });
}

/** Everything of this kind that there is, to a device that knows none of it. */
export async function tellEverything(sending: Sending, records: Writer, deviceId: DeviceId): Promise<void> {
  const own = await records.get(OWN);
  if (own !== undefined)
    for (const sync of [await ownProfile(sending, records), settingsOf(own)]) await tellOwnDevices(sending, records, sync, deviceId);
  for (const contact of await records.all(CONTACTS)) {
    const states = contact.verifiedAt === undefined ? [decisionOf(contact.state)] : [decisionOf(contact.state), "verified" as const];
    for (const state of states) await tellOwnDevices(sending, records, await toldContact(records, contact, state), deviceId);
  }
  for (const known of await records.all(GROUPS)) await tellGroup(sending, records, known, deviceId);
}

/** Somebody was accepted, blocked or unblocked here, now; the contact says what came of it. */
export async function tellDecision(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  const contact = await contactOf(records, userId);
  const decided = { ...contact, decidedMilliseconds: after(sending, contact.decidedMilliseconds) };
  records.put(CONTACTS, decided, userId);
  await tellOwnDevices(sending, records, await toldContact(records, decided, decisionOf(contact.state)));
}

/** Somebody was verified here. */
export async function tellVerified(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  await tellOwnDevices(sending, records, await toldContact(records, await contactOf(records, userId), "verified"));
}

/** A time that is later than that of what it replaces, also when another device's clock is ahead of ours. */
export function after({ clock }: Sending, beforeMilliseconds: number | undefined): number {
  return Math.max(clock.nowMilliseconds(), (beforeMilliseconds ?? 0) + 1);
}

export function settingsOf({ settings, settingsChanged = {} }: OwnAccount): Told {
  const { readReceipts = 0, typing = 0, presence = 0 } = settingsChanged;
  return { kind: "settings", ...settings, readReceiptsChanged: readReceipts, typingChanged: typing, presenceChanged: presence };
}

/** A group that we are in, with its secrets, where this device has them. */
export async function tellGroup(sending: Sending, records: Writer, known: KnownGroup, only?: DeviceId): Promise<void> {
  if (known.standing !== "member" || known.broken !== undefined || known.record === undefined) return;
  const { state, secrets } = decodeGroupRecord(known.record);
  if (secrets === undefined) return;
  const groupSecret = secrets.groupSecret.expose().slice();
  const adminSecret = secrets.adminSecret?.expose().slice();
  const copy = { kind: "group", state: encodeGroupState(state), groupSecret, adminSecret, introduced: known.introduced } as const;
  await tellOwnDevices(sending, records, copy, only);
}

/** A request waits on each device by itself. */
function decisionOf(state: ContactState): ToldContact["state"] {
  return state === "accepted" || state === "blocked" ? state : "unblocked";
}

async function toldContact(records: Reader, contact: Contact, state: ToldContact["state"]): Promise<ToldContact> {
  const { userId, username, name, ourSecret, theirSecret, verifiedAt, decidedMilliseconds = 0 } = contact;
  const avatar = (await avatarOf(records, userId)).told;
  return {
    kind: "contact",
    userId,
    state,
    decidedMilliseconds,
    username: username === undefined ? undefined : parseUsername(username),
    name: name ?? "",
    ourSecret,
    theirSecret,
    verifiedLength: state === "verified" ? verifiedAt : undefined,
    avatar: avatar === undefined ? undefined : toPointer(avatar),
  };
}
