// What another device of this account tells: the same is so here. The validator has let through only what our own active devices say.
// Of two decisions that contradict each other the later one holds, on every device the same one.

import { assertNever, type DeviceAddress, type GroupId, type Sync } from "#wire";
import { avatarOf, mediaIdOf, takeAvatar } from "../avatars/records.ts";
import { keepDeviceName, keepHeard } from "../devices/names.ts";
import { OWN_TOPIC } from "../core.ts";
import { takeCopy } from "../groups/take-copy.ts";
import { takeTold } from "../history/taking.ts";
import { contactOf } from "../records/contact.ts";
import { AVATARS, type Contact, CONTACTS, OWN, type OwnAccount } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import type { ToldContact } from "../sending/own-devices.ts";
import { welcome } from "./apply.ts";
import { block, unblock } from "./decisions.ts";

/** Of two that were changed on two devices, both are. */
export const SETTINGS: readonly (keyof OwnAccount["settings"])[] = ["readReceipts", "typing", "presence"];

type ToldSettings = Extract<Sync["sync"], { readonly kind: "settings" }>;

/** A stolen device may say any time; a later one must remain for what the others decide. None of them takes in what is above. */
const LATEST_MILLISECONDS = 2 ** 52;

/** A state that has no place in a sequence. `follow` reads what is new in a group's log. */
export async function applyTold(
  sending: Sending,
  records: Writer,
  { sender, body: { sync } }: { readonly sender: DeviceAddress; readonly body: Sync },
  follow: (groupId: GroupId) => void,
): Promise<void> {
  await keepHeard(records, sender.deviceId);
  if (timeOf(sync) > LATEST_MILLISECONDS) return;
  switch (sync.kind) {
    case "contact":
      await applyContact(sending, records, sync);
      return;
    case "profile":
      await change(records, (own) => {
        const isNews = isLater([sync.changedMilliseconds, sync.name], [own.profileChanged ?? 0, own.profile.name]);
        return isNews ? { ...own, profile: { name: sync.name }, profileChanged: sync.changedMilliseconds } : own;
      });
      await takeOwnAvatar(sending, records, sync);
      return;
    case "settings":
      await change(records, (own) => SETTINGS.reduce((before, name) => withSetting(before, sync, name), own));
      return;
    case "group": {
      const groupId = await takeCopy(sending, records, sync);
      if (groupId !== undefined) records.afterwards(() => follow(groupId));
      return;
    }
    case "device-name":
      keepDeviceName(records, sync.deviceId, sync.name);
      return;
    case "history":
      await takeTold(sending, records, sender.deviceId, sync);
      return;
    case "sent":
    case "read":
      return;
    default:
      assertNever(sync);
  }
}

function timeOf(sync: Sync["sync"]): number {
  if (sync.kind === "contact") return sync.decidedMilliseconds;
  if (sync.kind === "settings") return Math.max(sync.readReceiptsChanged, sync.typingChanged, sync.presenceChanged);
  return sync.kind === "profile" ? Math.max(sync.changedMilliseconds, sync.avatarChangedMilliseconds) : 0;
}

type ToldProfile = Extract<Sync["sync"], { readonly kind: "profile" }>;

/** Name and picture change each by itself. */
async function takeOwnAvatar({ self }: Sending, records: Writer, told: ToldProfile): Promise<void> {
  const { avatar, avatarChangedMilliseconds } = told;
  const of = self.local.address.userId;
  const known = await avatarOf(records, of);
  const isNews = isLater([avatarChangedMilliseconds, avatar?.mediaId ?? ""], [known.changedMilliseconds, mediaIdOf(known.told) ?? ""]);
  if (isNews) await takeAvatar(records, { of, pointer: avatar, changedMilliseconds: avatarChangedMilliseconds });
}

async function change(records: Writer, changed: (own: OwnAccount) => OwnAccount): Promise<void> {
  const own = await records.get(OWN);
  if (own === undefined) return;
  records.put(OWN, changed(own));
  records.touch(OWN_TOPIC);
}

/** Each by itself. */
function withSetting(own: OwnAccount, told: ToldSettings, name: keyof OwnAccount["settings"]): OwnAccount {
  const { settings, settingsChanged = {} } = own;
  const [changed, value] = [told[`${name}Changed`], told[name]];
  if (!isLater([changed, value], [settingsChanged[name] ?? 0, settings[name]])) return own;
  return { ...own, settings: { ...settings, [name]: value }, settingsChanged: { ...settingsChanged, [name]: changed } };
}

async function applyContact(sending: Sending, records: Writer, told: ToldContact): Promise<void> {
  const { userId } = told;
  if (userId === sending.self.local.address.userId) return;
  const contact = withFacts(await contactOf(records, userId), told);
  records.put(CONTACTS, contact, userId);
  records.touch("contacts");
  if (told.avatar !== undefined && (await records.get(AVATARS, userId)) === undefined)
    await takeAvatar(records, { of: userId, pointer: told.avatar, changedMilliseconds: 0 });
  if (told.state === "verified") return;
  if (!isLater(weigh(told.decidedMilliseconds, told.state), weigh(contact.decidedMilliseconds ?? 0, contact.state))) return;
  const { decidedMilliseconds } = told;
  // One of us has told them; it is the account's word.
  records.put(CONTACTS, { ...contact, decidedMilliseconds, ourSecret: contact.ourSecret ?? told.ourSecret }, userId);
  switch (told.state) {
    case "accepted":
      await welcome(sending, records, userId);
      return;
    case "blocked":
      await block(records, userId);
      return;
    case "unblocked":
      await unblock(records, userId);
      return;
    default:
      assertNever(told.state);
  }
}

/** What this device knows by itself stays; a safety number is compared anew and never less. */
function withFacts(contact: Contact, { username, name, theirSecret, verifiedLength }: ToldContact): Contact {
  const verifiedAt = verifiedLength === undefined ? contact.verifiedAt : Math.max(contact.verifiedAt ?? 0, verifiedLength);
  return {
    ...contact,
    username: contact.username ?? username,
    name: contact.name ?? (name === "" ? undefined : name),
    theirSecret: contact.theirSecret ?? theirSecret,
    verifiedAt,
  };
}

/** In the same millisecond the stricter decision holds. */
function weigh(decidedMilliseconds: number, state: ToldContact["state"] | Contact["state"]): readonly number[] {
  return [decidedMilliseconds, state === "blocked" ? 2 : state === "accepted" ? 1 : 0];
}

/** Compares part by part, so that all devices keep the same one. */
function isLater(told: readonly (number | string | boolean)[], known: readonly (number | string | boolean)[]): boolean {
  for (const [at, part] of told.entries()) {
    const other = known[at] ?? part;
    if (part !== other) return part > other;
  }
  return false;
}
