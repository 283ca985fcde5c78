// Who may say what, and over which channel: one closed table. What is not in it is refused, and a kind of content that has no
// row does not compile. Looks at a content that is opened and at who authenticated it; knows no store.

import { type Body, type Content, type ContentCopy, type DeviceAddress, serviceIdOfDevice } from "#wire";
import type { ContactState } from "../api.ts";

/** Kept by the server until it is fetched, or of now or never. */
export type Channel = "queued" | "ephemeral";

/** What the sender is to us: a device of our own account, or a person by what was decided about them. */
export type Relation = "self" | ContactState;

interface Rule {
  readonly channels: readonly Channel[];
  readonly from: readonly Relation[];
}

const ANYBODY: readonly Relation[] = ["none", "request", "accepted"];
const CONTACTS_ONLY: readonly Relation[] = ["accepted"];
const NOBODY: readonly Relation[] = [];
const QUEUED: readonly Channel[] = ["queued"];
const EPHEMERAL: readonly Channel[] = ["ephemeral"];

const RULES: Readonly<Record<Body["kind"], Rule>> = {
  text: { channels: QUEUED, from: ANYBODY },
  edit: { channels: QUEUED, from: ANYBODY },
  delete: { channels: QUEUED, from: ANYBODY },
  reaction: { channels: QUEUED, from: ANYBODY },
  receipt: { channels: QUEUED, from: CONTACTS_ONLY },
  typing: { channels: EPHEMERAL, from: CONTACTS_ONLY },
  "presence-query": { channels: EPHEMERAL, from: CONTACTS_ONLY },
  "presence-answer": { channels: EPHEMERAL, from: CONTACTS_ONLY },
  profile: { channels: QUEUED, from: ANYBODY },
  accept: { channels: QUEUED, from: ANYBODY },
  // From whoever has a link: an admin's program checks what they show.
  "group-join": { channels: QUEUED, from: ANYBODY },
  nothing: { channels: QUEUED, from: [...ANYBODY, "self"] },
  // What drives our own devices comes from our own devices.
  sync: { channels: QUEUED, from: ["self"] },
  // Reports come outside of sessions, because there is none that works.
  "decryption-error": { channels: QUEUED, from: NOBODY },
  "group-change": { channels: QUEUED, from: NOBODY },
  "sender-key": { channels: QUEUED, from: NOBODY },
};

export type Refusal = "wrong-sender" | "wrong-recipient" | "wrong-conversation" | "not-allowed";

export interface Incoming {
  readonly copy: ContentCopy;
  readonly content: Content;
  /** As the session and the account log have proven it. */
  readonly sender: DeviceAddress;
  readonly own: DeviceAddress;
  readonly channel: Channel;
  readonly relation: Relation;
}

/** `undefined` when the content may be acted on. */
export function validateIncoming({ copy, content, sender, own, channel, relation }: Incoming): Refusal | undefined {
  if (content.sender !== serviceIdOfDevice(sender)) return "wrong-sender";
  if (copy.recipientDevice !== own.deviceId) return "wrong-recipient";
  const { conversation, body } = content;
  if (conversation.kind !== "direct" || conversation.recipient !== own.userId) return "wrong-conversation";
  const rule = RULES[body.kind];
  if (!rule.channels.includes(channel) || !rule.from.includes(relation)) return "not-allowed";
  // What has a place must have it, and what has none must not take one.
  if ((content.position !== undefined) !== (channel === "queued" && isPlaced(body))) return "not-allowed";
  return undefined;
}

/** Whether it has a place in its sender's sequence. What only one device gets has none, nor a state that may be told again. */
function isPlaced(body: Body): boolean {
  if (body.kind === "sync") return body.sync.kind === "sent" || body.sync.kind === "read";
  return body.kind !== "nothing";
}
