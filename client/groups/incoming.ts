// What arrives for a group: under a sender key, for all, or through a session, for this device. Whatever the server says about who
// is in: a message is shown when its sender is a member of the state that the log's signatures lead to.

import { distributionIdOf, distributionOf, groupMember, isGroupAdmin, NO_SENDER_KEY, openFromGroup } from "#protocol";
import {
  type Body,
  type Bytes,
  type Content,
  type ContentCopy,
  type Deliver,
  type DeviceAddress,
  type GroupId,
  sameBytes,
  serviceIdOfDevice,
  WireError,
} from "#wire";
import { recordEvent } from "../core.ts";
import { DISTRIBUTIONS, GROUPS, HELD_GROUP_MESSAGES, type HeldGroupMessage, SENDER_KEYS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { decodePlaintext } from "../receiving/plaintext.ts";
import { contactOf } from "../records/contact.ts";
import { reportUnreadable } from "../receiving/repair.ts";
import type { Sending } from "../sending/compose.ts";
import { PATIENCE_MILLISECONDS } from "../receiving/order.ts";
import { learn, nameOf } from "./sender-keys.ts";
import { findGroup, type Group, mayHaveWritten, nothingOf } from "./state.ts";

/** Messages that wait for a key or for a log; more than this does not. */
const MAX_HELD = 1000;
/** Word of a group may come long after what is said in it, and until then nobody can be asked. What is of none goes after a day. */
const UNKNOWN_MILLISECONDS = 24 * 3600_000;

export interface GroupInboxParts {
  readonly sending: Sending;
  /** What a member says to everybody has its place in their sequence. */
  readonly inOrder: (records: Writer, said: Said) => Promise<void>;
  /** What a member says to us alone, about the group. */
  readonly apply: (records: Writer, said: Said) => Promise<void>;
  readonly isMarked: (records: Writer, sender: DeviceAddress, content: Content) => Promise<boolean>;
  readonly compareHeads: (records: Writer, sender: DeviceAddress, content: Content) => Promise<void>;
  /** The group's log has more than we have read. */
  readonly follow: (groupId: GroupId) => void;
  /** Something waits. */
  readonly releaseLater: () => void;
}

/** A content of a group that may be acted on. */
export interface Said {
  readonly group: Group;
  readonly sender: DeviceAddress;
  readonly content: Content;
  /** As it was encoded. */
  readonly bytes: Bytes;
}

/** How it came: encrypted for the whole group, or through the session with one device. */
type Way = "sender-key" | "session";

/** What may be said in a group, and how. A kind of content that has no row does not compile. */
const RULES: Readonly<Record<Body["kind"], readonly Way[]>> = {
  // Through a session, too, for a device that could not open it the other way.
  text: ["sender-key", "session"],
  edit: ["sender-key", "session"],
  delete: ["sender-key", "session"],
  reaction: ["sender-key", "session"],
  "group-change": ["sender-key", "session"],
  "sender-key": ["session"],
  receipt: ["session"],
  // Whoever speaks for the first time says who they are.
  profile: ["sender-key", "session"],
  nothing: [],
  typing: [],
  "presence-query": [],
  "presence-answer": [],
  accept: [],
  "group-join": [],
  sync: [],
  "decryption-error": [],
};

/** What only its reader gets has no place in the sequence that all get, and what all get has one. */
function isPlaced({ position, body }: Content, way: Way): boolean {
  if (way === "session" && body.kind === "group-change") return true;
  return (position === undefined) === (body.kind === "receipt");
}

export class GroupInbox {
  readonly #parts: GroupInboxParts;

  constructor(parts: GroupInboxParts) {
    this.#parts = parts;
  }

  /** A message that was encrypted for all. What cannot be opened yet waits; nothing more is expected of it in any case. */
  async receive(records: Writer, { guid, envelope }: Deliver, sender: DeviceAddress, bytes: Bytes): Promise<void> {
    const distribution = distributionIn(bytes);
    if (distribution === undefined) return;
    const untilMilliseconds = this.#now + PATIENCE_MILLISECONDS;
    const message = { distribution, guid, sender, bytes, envelopeId: envelope.messageId, untilMilliseconds };
    if ((await this.#open(records, message)) === "done") return;
    if ((await records.all(HELD_GROUP_MESSAGES)).length < MAX_HELD) records.put(HELD_GROUP_MESSAGES, message, distribution, guid);
    records.afterwards(this.#parts.releaseLater);
  }

  /** What a session has brought about a group. */
  async take(records: Writer, sender: DeviceAddress, copy: ContentCopy, content: Content): Promise<void> {
    if (content.conversation.kind !== "group" || copy.recipientDevice !== this.#parts.sending.self.local.address.deviceId) return;
    const { groupId } = content.conversation;
    const { body } = content;
    if (body.kind === "sender-key") {
      // Also before word of the group comes: it is of use only once the log says that its owner is in.
      if (body.groupId === groupId && (await learn(records, groupId, sender, body.distribution))) await this.retry(records, groupId);
      return;
    }
    if (body.kind === "group-change" && body.groupSecret !== undefined) await this.#invited(records, sender, body, body.groupSecret);
    const group = await findGroup(records, groupId);
    if (group === undefined) return;
    await this.#accept(records, group, { sender, content, bytes: copy.content }, "session");
  }

  /** Opens again what has waited in a group: a key has come, or the log says more. */
  async retry(records: Writer, groupId: GroupId): Promise<void> {
    for (const held of await records.all(HELD_GROUP_MESSAGES, distributionIdOf(groupId))) {
      if ((await this.#open(records, held)) === "done") records.delete(HELD_GROUP_MESSAGES, held.distribution, held.guid);
      else records.afterwards(this.#parts.releaseLater);
    }
  }

  /** What has waited for too long is asked for again, or was never meant for us. Returns how many wait on. */
  async giveUpOverdue(records: Writer): Promise<number> {
    let left = 0;
    for (const { distribution, guid, untilMilliseconds, ...message } of await records.all(HELD_GROUP_MESSAGES)) {
      const groupId = (await records.get(DISTRIBUTIONS, distribution))?.groupId;
      const isKnown = groupId !== undefined && (await findGroup(records, groupId)) !== undefined;
      if (untilMilliseconds + (isKnown ? 0 : UNKNOWN_MILLISECONDS) > this.#now) {
        if (isKnown) left++;
        continue;
      }
      records.delete(HELD_GROUP_MESSAGES, distribution, guid);
      if (!isKnown) continue;
      await reportUnreadable(this.#parts.sending, records, { ...message, kind: "sender-key", reason: "no-sender-key" });
    }
    return left;
  }

  /** Somebody has let us in, they say. The log has to agree. */
  async #invited(
    records: Writer,
    { userId }: DeviceAddress,
    change: Extract<Body, { readonly kind: "group-change" }>,
    groupSecret: Bytes,
  ): Promise<void> {
    const { groupId, version, stateHash } = change;
    const known = await records.get(GROUPS, groupId);
    if (known?.record !== undefined && known.place >= version) return;
    if ((await contactOf(records, userId)).state === "blocked") return;
    records.put(DISTRIBUTIONS, { groupId }, distributionIdOf(groupId));
    // Until the log agrees, what is known of the group stays; and whoever was first to say something need not have said the truth.
    const before = known?.record === undefined ? nothingOf(groupId) : known;
    records.put(GROUPS, { ...before, invitation: { by: userId, version, stateHash, groupSecret } }, groupId);
    this.#follow(records, groupId);
  }

  get #now(): number {
    return this.#parts.sending.clock.nowMilliseconds();
  }

  async #open(records: Writer, held: HeldGroupMessage): Promise<"done" | "later"> {
    const groupId = (await records.get(DISTRIBUTIONS, held.distribution))?.groupId;
    const group = groupId === undefined ? undefined : await findGroup(records, groupId);
    if (groupId === undefined || group === undefined) return "later";
    const { sender, bytes, envelopeId } = held;
    const outcome = openFromGroup((await records.get(SENDER_KEYS, groupId, nameOf(sender))) ?? NO_SENDER_KEY, bytes);
    if (outcome.kind === "refused") {
      if (outcome.code === "no-sender-key") return "later";
      if (outcome.code === "duplicate") return "done";
      await reportUnreadable(this.#parts.sending, records, { sender, kind: "sender-key", bytes, envelopeId, reason: outcome.code });
      return "done";
    }
    const decoded = decodePlaintext(outcome.output);
    if (typeof decoded !== "string" && isAhead(group, sender, decoded.content)) {
      // The key is left as it was: the message is opened again once we know who they are.
      this.#follow(records, groupId);
      return "later";
    }
    records.put(SENDER_KEYS, outcome.state, groupId, nameOf(sender));
    records.spend(outcome.spent);
    if (typeof decoded === "string") {
      const reason = decoded === "unknown-critical" ? "upgrade-required" : decoded;
      await recordEvent(records, { type: "notice", kind: "unreadable", peer: sender.userId, deviceId: sender.deviceId, reason, groupId });
      return "done";
    }
    const { copy, content } = decoded;
    if (copy.recipientDevice !== undefined) return "done";
    await this.#accept(records, group, { sender, content, bytes: copy.content }, "sender-key");
    return "done";
  }

  /** Everything that must hold before a content does anything in a group. */
  async #accept(records: Writer, group: Group, said: Omit<Said, "group">, way: Way): Promise<void> {
    const { sender, content } = said;
    const { conversation, body } = content;
    if (content.sender !== serviceIdOfDevice(sender)) return;
    if (conversation.kind !== "group" || conversation.groupId !== group.state.groupId) return;
    if (!RULES[body.kind].includes(way) || !isPlaced(content, way)) return;
    if (!mayHaveWritten(group, sender.userId, this.#now)) return;
    await this.#parts.compareHeads(records, sender, content);
    if (!(await this.#compareStates(records, group, sender, conversation))) return;
    if (await this.#parts.isMarked(records, sender, content)) return;
    if (content.position === undefined) await this.#parts.apply(records, { ...said, group });
    else await this.#parts.inOrder(records, { ...said, group });
  }

  /** Each message says which state its sender knows: a server that shows two logs is caught here. False for another log's. */
  async #compareStates(
    records: Writer,
    group: Group,
    { userId }: DeviceAddress,
    theirs: Extract<Content["conversation"], { readonly kind: "group" }>,
  ): Promise<boolean> {
    const { state, stateHash, known } = group;
    if (theirs.version > state.version) {
      const isLatest = theirs.version > (known.awaited?.version ?? 0);
      if (isLatest && isGroupAdmin(state, userId))
        records.put(GROUPS, { ...known, awaited: { version: theirs.version, by: userId } }, state.groupId);
      this.#follow(records, state.groupId);
      return true;
    }
    const ours = theirs.version === state.version ? stateHash : known.past.find(({ version }) => version === theirs.version)?.stateHash;
    if (ours === undefined || sameBytes(ours, theirs.stateHash)) return true;
    if (known.broken === undefined) {
      records.put(GROUPS, { ...known, broken: "group-forked" }, state.groupId);
      const peer = this.#parts.sending.self.local.address.userId;
      const notice = { type: "notice", kind: "group-forked", peer, deviceId: undefined, reason: undefined } as const;
      await recordEvent(records, { ...notice, groupId: state.groupId });
    }
    return false;
  }

  #follow(records: Writer, groupId: GroupId): void {
    records.afterwards(() => this.#parts.follow(groupId));
  }
}

/** Written by somebody whom we do not know in the group, in a later state of it than ours. */
function isAhead({ state }: Group, sender: DeviceAddress, { conversation }: Content): boolean {
  return conversation.kind === "group" && conversation.version > state.version && groupMember(state, sender.userId) === undefined;
}

function distributionIn(bytes: Bytes): string | undefined {
  try {
    return distributionOf(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
