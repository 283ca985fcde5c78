// What we call ourselves and which picture we show, as others are told: all who know us when it changes, and whoever meets us. A
// state: it may be told again.

import { AVATAR_RENEWAL_BY_OTHERS_SECONDS, type Body, type MediaPointer, type Sync } from "#wire";
import { avatarOf } from "../avatars/records.ts";
import { toPointer } from "../media/attachments.ts";
import { type AvatarRecord, CONTACTS, type ConversationId, GROUPS, OWN } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { canCompose, type Sending } from "./compose.ts";
import { say } from "./say.ts";

/** To everybody who knows us. */
export async function tellProfile(sending: Sending, records: Writer): Promise<void> {
  const body = bodyOf(await nameOf(records), pointerIn(await ownAvatar(sending, records)));
  for (const { userId, state } of await records.all(CONTACTS)) {
    if (state === "accepted" && (await canCompose(sending, records, userId))) await say(sending, records, { to: userId, body });
  }
  for (const { groupId, standing, broken, introduced } of await records.all(GROUPS)) {
    if (introduced && standing === "member" && broken === undefined) await say(sending, records, { to: groupId, body });
  }
}

/** To whoever knows nothing of us yet, if there is something to know. */
export async function introduceTo(sending: Sending, records: Writer, to: ConversationId): Promise<void> {
  const avatar = await ownAvatar(sending, records);
  const age = sending.clock.nowMilliseconds() - avatar.changedMilliseconds;
  // One that the server is about to forget is brought there again, by whichever device of ours runs, and told then.
  const pointer = age < AVATAR_RENEWAL_BY_OTHERS_SECONDS * 1000 ? pointerIn(avatar) : undefined;
  const name = await nameOf(records);
  if (name !== "" || pointer !== undefined) await say(sending, records, { to, body: bodyOf(name, pointer) });
}

/** As our own devices tell each other. */
export async function ownProfile(sending: Sending, records: Reader): Promise<Sync["sync"]> {
  const avatar = await ownAvatar(sending, records);
  return {
    kind: "profile",
    name: await nameOf(records),
    changedMilliseconds: (await records.get(OWN))?.profileChanged ?? 0,
    avatar: pointerIn(avatar),
    avatarChangedMilliseconds: avatar.changedMilliseconds,
  };
}

function bodyOf(name: string, avatar: MediaPointer | undefined): Body {
  return { kind: "profile", name, avatar };
}

async function nameOf(records: Reader): Promise<string> {
  return (await records.get(OWN))?.profile.name ?? "";
}

async function ownAvatar({ self }: Sending, records: Reader): Promise<AvatarRecord> {
  return await avatarOf(records, self.local.address.userId);
}

function pointerIn({ told }: AvatarRecord): MediaPointer | undefined {
  return told === undefined ? undefined : toPointer(told);
}
