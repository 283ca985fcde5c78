// What is printed about accounts, people, messages and events: the fields that programs get, and the words that people read.
// Does not print, and asks for nothing.

import type {
  Account,
  Attachment,
  ClientEvent,
  GroupConversation,
  HistoryTransfer,
  LinkedDevice,
  Message,
  NoticeEvent,
  Peer,
} from "#client";
import { faint, type Json } from "./output.ts";
import { avatarFields } from "./picture.ts";
import { sizeOf } from "./progress.ts";
import { visible } from "./visible.ts";

export interface Line {
  readonly fields: Json;
  readonly people: string;
}

export function accountLine({ userId, deviceId, username, link }: Account): Line {
  const fields = { type: "account", userId, deviceId, username: username ?? null, link };
  const people = [`user    ${userId}`, `device  ${deviceId}`, `name    ${visible(username ?? "-")}`, `link    ${visible(link)}`];
  return { fields, people: people.join("\n") };
}

export function requestLine(from: Peer): Line {
  const people = `${visible(from.name)} wants to write to you  ${faint(`edgewise accept ${from.userId}`)}`;
  return { fields: { type: "request", from: from.userId, fromName: from.name }, people };
}

/** A message as it is now. */
export function messageLine(message: Message): Line {
  const { state, own, edited, deleted, gapBefore, reactions } = message;
  const fields = { ...messageFields(message), state, own, edited, deleted, gapBefore, reactions };
  return { fields, people: `${messageWords(message)}  ${faint(message.id)}` };
}

function messageFields(message: Message): Json {
  const { id, conversation, from, text, sentAt, replyTo } = message;
  return {
    type: "message",
    id,
    conversation: conversation.id,
    from: from.userId,
    fromName: from.name,
    text,
    sentAt: sentAt.toISOString(),
    attachments: message.attachments.map(attachmentFields),
    replyTo: replyTo?.id ?? null,
  };
}

function attachmentFields({ name, mime, size, width, height }: Attachment): Json {
  return { name, mime, size, ...(width === undefined || height === undefined ? {} : { width, height }) };
}

function messageWords({
  attachments,
  from,
  own,
  conversation,
  text,
  sentAt,
  edited,
  deleted,
  reactions,
  gapBefore,
  state,
}: Message): string {
  const where = conversation.kind === "group" ? `#${visible(conversation.title)}` : visible(conversation.peer.name);
  const other = conversation.kind === "group" ? `${visible(from.name)} → ${where}` : visible(from.name);
  const writer = own ? `you → ${where}` : other;
  const files = attachments.map(({ name, size }) => `[${visible(name)}, ${sizeOf(size)}]`);
  const words = deleted ? faint("(deleted)") : [visible(text), ...files].filter(Boolean).join(" ");
  const marks = [edited && "(edited)", own && `(${state})`, gapBefore && "(something before this never came)"].filter(Boolean);
  const emoji = reactions.map((reaction) => visible(reaction.emoji)).join(" ");
  return [`${localTime(sentAt)} ${writer}: ${words}`, emoji, ...marks.map((mark) => faint(String(mark)))].filter(Boolean).join("  ");
}

/** The hour of today; with the day when it was another. */
export function localTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

export function eventLine(event: ClientEvent): Line {
  switch (event.type) {
    case "message":
      return messageLine(event.message);
    case "receipt": {
      const { kind, by, messageIds } = event;
      const people = faint(`${visible(by.name)} has ${kind === "read" ? "read" : "got"} ${messages(messageIds.length)}`);
      return { fields: { type: "receipt", kind, ids: messageIds, from: by.userId }, people };
    }
    case "request":
      return requestLine(event.from);
    case "edit":
    case "delete":
    case "reaction":
      return changeLine(event);
    case "typing": {
      const { conversation, by, on } = event;
      const people = faint(`${visible(by.name)} ${on ? "is typing" : "stopped typing"}`);
      return { fields: { type: "typing", conversation: conversation.id, from: by.userId, on }, people };
    }
    case "presence":
      return presenceLine(event.by, event.online);
    case "link-request": {
      // Who it is, it tells whoever answers.
      const people = `! a new device wants to be linked to this account  ${faint("edgewise devices approve")}`;
      return { fields: { type: "link-request", deviceName: null }, people };
    }
    case "notice":
      return noticeLine(event);
  }
}

function changeLine({ type, from, message, emoji }: Extract<ClientEvent, { type: "edit" | "delete" | "reaction" }>): Line {
  const fields = { type, id: message.id, conversation: message.conversation.id, from: from.userId, fromName: from.name };
  const name = visible(from.name);
  switch (type) {
    case "edit":
      return {
        fields: { ...fields, text: message.text },
        people: `${name} changed a message: ${visible(message.text)}  ${faint(message.id)}`,
      };
    case "delete":
      return { fields, people: `${name} deleted a message  ${faint(message.id)}` };
    case "reaction": {
      const what = emoji === undefined || emoji === "" ? "took a reaction back" : `reacted ${visible(emoji)}`;
      return { fields: { ...fields, emoji: emoji ?? "" }, people: `${name} ${what}: ${visible(message.text)}  ${faint(message.id)}` };
    }
  }
}

export function presenceLine(user: Peer, online: boolean): Line {
  return {
    fields: { type: "presence", user: user.userId, online },
    people: `${visible(user.name)} is ${online ? "online" : "not online"}`,
  };
}

const NOTICES: Readonly<Record<NoticeEvent["kind"], string>> = {
  "device-added": "has a new device",
  "device-revoked": "removed a device",
  "recovery-key-changed": "changed the recovery key",
  "account-changed": "recovered their account with a recovery key: all their devices are new",
  "account-deleted": "has deleted their account",
  "account-forked": "has two histories: somebody lies about their devices. Compare safety numbers with them",
  unreadable: "sent something that cannot be opened; it is being asked for again",
  repaired: "sent again what could not be opened before",
  "not-sent": "did not get a message of yours: it was given up",
  "group-changed": "changed the group",
  "join-asked": "wants to be let into the group: edgewise group approve",
  "group-forked": "is shown another history of the group than others: somebody lies about it. Nothing more is said in it",
  "group-broken": "let you into a group that cannot be followed",
};

function noticeLine({ kind, peer, deviceId, reason, group }: NoticeEvent): Line {
  const about = { deviceId: deviceId ?? null, reason: reason ?? null, conversation: group?.id ?? null };
  const fields = { type: "notice", kind, from: peer.userId, fromName: peer.name, ...about };
  const where = group === undefined ? "" : `#${visible(group.title)}`;
  const change = kind === "group-changed" && reason !== undefined ? GROUP_CHANGES[reason] : undefined;
  const did = peer.self && reason === "joined" ? "are in" : change;
  if (did !== undefined) return { fields, people: `! ${peer.self ? "you" : visible(peer.name)} ${did} ${where}` };
  const isPutOut = kind === "unreadable" && reason === "device-removed";
  if (isPutOut) return { fields, people: `! ${visible(peer.name)} wrote from a device that was put out before it came here: not shown` };
  const own = peer.self ? OWN_NOTICES[kind] : undefined;
  if (own !== undefined) return { fields, people: `! ${own}${deviceId === undefined ? "" : `: device ${deviceId}`}${inBrackets(reason)}` };
  return { fields, people: `! ${visible(peer.name)} ${NOTICES[kind]} ${where}${inBrackets(reason)}`.replace(/ +/g, " ").trim() };
}

/** About ourselves: whoever did not do it has to act. */
const OWN_NOTICES: Readonly<Partial<Record<NoticeEvent["kind"], string>>> = {
  "device-added": "this account has a new device; if it is not yours, edgewise devices revoke",
  "device-revoked": "a device of this account was put out",
  "account-deleted": "this account was deleted, on another device of it",
  "recovery-key-changed": "the recovery key of this account was changed; if that was not you, revoke the device that did it",
};

function inBrackets(reason: string | undefined): string {
  return reason === undefined ? "" : ` (${visible(reason)})`;
}

/** What somebody did to a group, by the reason of its notice. */
const GROUP_CHANGES: Readonly<Record<string, string>> = {
  joined: "let you into",
  add: "let somebody into",
  remove: "put somebody out of",
  removed: "put you out of",
  leave: "left",
  rename: "gave a new name to",
  promote: "made somebody an admin of",
  demote: "made an admin a member of",
  avatar: "changed the picture of",
  rotate: "changed the keys of",
  invite: "made an invite link to",
  withdraw: "took back an invite link to",
};

export function groupLine({ id, title, members, standing, avatar }: GroupConversation): Line {
  const listed = members.map(({ peer, role }) => ({ userId: peer.userId, name: peer.name, role }));
  const people = members.map(({ peer, role }) => `  ${visible(peer.name)}${role === "admin" ? " (admin)" : ""}`).join("\n");
  const gone = standing === "member" ? "" : ` (${standing})`;
  return {
    fields: { type: "group", id, name: title, standing, members: listed, avatar: avatarFields(avatar) },
    people: `#${visible(title)}${gone}  ${faint(id)}\n${people}`,
  };
}

const NUMBER = "device";

/** Above the lines of all of them. */
export function deviceHeading(all: readonly LinkedDevice[]): string {
  return faint([NUMBER, "name".padEnd(nameWidth(all)), "added"].join("  "));
}

function nameWidth(all: readonly LinkedDevice[]): number {
  return Math.max(4, ...all.map(({ name }) => visible(name).length));
}

/** In a column with all of them. */
export function deviceLine(
  { deviceId, name, addedAt, addedBy, isNew, hasCome, current }: LinkedDevice,
  all: readonly LinkedDevice[],
): Line {
  const fields = { type: "device", deviceId, name, addedAt: addedAt.toISOString(), addedBy: addedBy ?? null, isNew, hasCome, current };
  const marks = [current && "(this one)", isNew && "(new)", !hasCome && "(nothing has come from it yet)"]
    .filter(Boolean)
    .map((mark) => faint(String(mark)));
  const called = visible(name === "" ? "-" : name).padEnd(nameWidth(all));
  const people = [String(deviceId).padStart(NUMBER.length), called, localTime(addedAt), ...marks].join("  ");
  return { fields, people };
}

export function isOver({ state }: HistoryTransfer): boolean {
  return state === "done" || state === "failed";
}

export function historyLine({ direction, deviceId, state, done, total, error }: HistoryTransfer): Line {
  const fields = { type: "history", direction, deviceId, state, done, total, error: error ?? null };
  return {
    fields,
    people: `* messages of before, ${direction} device ${deviceId}: ${HISTORY[state]}${error === undefined ? "" : ` (${error})`}`,
  };
}

const HISTORY: Readonly<Record<HistoryTransfer["state"], string>> = {
  writing: "are being encrypted",
  sending: "are being sent",
  coming: "are coming, once that device has sent them",
  fetching: "are being fetched",
  importing: "are whole, and being taken in",
  done: "are here",
  failed: "do not come",
};

function messages(count: number): string {
  return count === 1 ? "a message" : `${count} messages`;
}
