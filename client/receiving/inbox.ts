// The inbox. Order of a receive: decode, prove the sender, load, open, one transaction with the session's new state, what the
// content does and the mark against its repetition; wipe; tell; only then is it acknowledged. A crash between any two steps
// repeats a step that changes nothing.

import { matchesAccount, standsInAccount } from "#identity";
import { EMPTY_RECORD, openMessage, openSealed, type OpenedContent, preKeysNeeded, type SessionMessage } from "#protocol";
import {
  assertNever,
  type Bytes,
  type Content,
  copy,
  decodeNotice,
  type Deliver,
  type DeviceAddress,
  type GroupId,
  type LinkRequested,
  MAILBOX_TTL_SECONDS,
  type Notice,
  ProtocolError,
  type UserId,
  WireError,
} from "#wire";
import { recordEvent } from "../core.ts";
import { GroupInbox, type Said } from "../groups/incoming.ts";
import { ClientError } from "../errors.ts";
import { loadPreKeys, spendPreKeys } from "../prekeys.ts";
import { MARKS, SESSIONS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import type { TrustRoots } from "../trust-roots.ts";
import { applyContent } from "./apply.ts";
import { contactOf } from "../records/contact.ts";
import { MARK_PERIODS, markPeriod } from "./marks.ts";
import { applyTold } from "./own-devices.ts";
import { PATIENCE_MILLISECONDS } from "./order.ts";
import { decodePlaintext } from "./plaintext.ts";
import { answerReport, noteRepaired, reportUnreadable } from "./repair.ts";
import { Sequences } from "./sequences.ts";
import { type Relation, validateIncoming } from "./validator.ts";

/** Of now, and not stored. */
export interface Ephemeral {
  readonly sender: DeviceAddress;
  readonly content: Content;
}

export interface InboxParts {
  readonly sending: Sending;
  readonly trust: TrustRoots;
  readonly onEphemeral: (ephemeral: Ephemeral) => void;
  /** Something about our own account may be new. */
  readonly onOwnLogChanged: () => void;
  readonly onLinkRequested: (request: LinkRequested) => void;
  /** The log of a group has more than we have read. */
  readonly onGroupChanged: (groupId: GroupId) => void;
}

interface Arrived {
  readonly delivery: Deliver;
  readonly opened: OpenedContent;
}

export class Inbox {
  readonly groups: GroupInbox;
  readonly #parts: InboxParts;
  readonly #sequences: Sequences;
  #cancelRelease: (() => void) | undefined;
  #isThere = false;
  #closed = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    const releaseLater = (): void => this.#releaseLater();
    this.#sequences = new Sequences(parts.sending, releaseLater);
    this.groups = new GroupInbox({
      sending: parts.sending,
      inOrder: (records, said) => this.#takeFromGroup(records, said),
      apply: (records, said) => this.#applyInGroup(records, said),
      isMarked: (records, sender, content) => this.#isMarked(records, sender, content),
      compareHeads: (records, sender, content) => this.#compareHeads(records, sender, content),
      follow: parts.onGroupChanged,
      releaseLater,
    });
  }

  /** The guids of what is durable here, or will never be anything. */
  async deliver(deliveries: readonly Deliver[]): Promise<readonly number[]> {
    const settled: number[] = [];
    const arrived: Arrived[] = [];
    for (const delivery of deliveries) {
      const opened = await this.#unseal(delivery);
      if (opened === undefined) settled.push(delivery.guid);
      else arrived.push({ delivery, opened });
    }
    await this.#learnSenders(arrived);
    const kept = await this.#parts.sending.vault.write(async (records) => {
      const guids: number[] = [];
      for (const one of arrived) if (await this.#receive(records, one)) guids.push(one.delivery.guid);
      return guids;
    });
    return [...settled, ...kept];
  }

  /** All that was sent while we were away is here: what its predecessor is not among has waited for it. */
  async caughtUp(): Promise<void> {
    this.#isThere = true;
    await this.#releaseOverdue();
  }

  /** What comes from now on comes later. Nobody who is away can say that something is missing. */
  away(): void {
    this.#isThere = false;
  }

  /** Shows what has waited for its predecessor for too long, now and whenever that is. */
  async #releaseOverdue(): Promise<void> {
    this.#cancelRelease = undefined;
    if (this.#closed || !this.#isThere) return;
    const waiting = await this.#parts.sending.vault.write(
      async (records) => (await this.groups.giveUpOverdue(records)) + (await this.#sequences.releaseOverdue(records)),
    );
    if (waiting > 0) this.#releaseLater();
  }

  close(): void {
    this.#closed = true;
    this.#cancelRelease?.();
  }

  #releaseLater(): void {
    this.#cancelRelease ??= this.#parts.sending.clock.after(PATIENCE_MILLISECONDS / 4, () => {
      this.#releaseOverdue().catch(() => undefined);
    });
  }

  /** The sealed content and who proved to have sent it; nothing for what nobody can be asked about. */
  async #unseal(delivery: Deliver): Promise<OpenedContent | undefined> {
    const { trust } = this.#parts;
    if (delivery.envelope.type === "notice") {
      this.#notice(delivery.envelope.content);
      return undefined;
    }
    const opened = this.#openSealed(delivery);
    if (opened.kind === "opened") return opened;
    // Perhaps the server signs under a root that is newer than what we know.
    if (opened.code !== "bad-certificate" || !(await trust.renew())) return undefined;
    const again = this.#openSealed(delivery);
    return again.kind === "opened" ? again : undefined;
  }

  /** The server's own word: a reason to look, and no more. */
  #notice(content: Bytes): void {
    const { onOwnLogChanged, onLinkRequested } = this.#parts;
    const notice = noticeIn(content);
    if (notice?.kind === "link-requested") onLinkRequested(notice);
    else onOwnLogChanged();
  }

  #openSealed({ envelope, serverTimestamp }: Deliver): ReturnType<typeof openSealed> {
    const { sending, trust } = this.#parts;
    return openSealed({
      identity: sending.self.local.identity,
      bytes: envelope.content,
      trustRoots: trust.roots,
      nowMilliseconds: this.#sentBefore(serverTimestamp),
    });
  }

  /** The time at which the certificate had to be good: when the server took the message, as far as that can be true. */
  #sentBefore(serverTimestamp: number): number {
    const now = this.#parts.sending.clock.nowMilliseconds();
    const oldest = now - (MAILBOX_TTL_SECONDS + 24 * 3600) * 1000;
    return Math.min(Math.max(serverTimestamp, oldest), now);
  }

  /** Fetches the logs of senders whose device is not known yet. @throws ClientError when that fails for now */
  async #learnSenders(arrived: readonly Arrived[]): Promise<void> {
    const { vault, accounts } = this.#parts.sending;
    const unknown = new Set<UserId>();
    const bySender = Map.groupBy(arrived, ({ opened }) => opened.sender.userId);
    await vault.read(async (records) => {
      for (const [userId, theirs] of bySender) {
        const account = await accounts.find(records, userId);
        if (account === undefined || !theirs.every(({ opened }) => matchesAccount(opened, account))) unknown.add(userId);
      }
    });
    for (const userId of unknown) await this.#learn(userId);
  }

  async #learn(userId: UserId): Promise<void> {
    try {
      await this.#parts.sending.accounts.refresh(userId);
    } catch (error) {
      // The whole batch comes again, in order, over a later socket. Who cannot be believed keeps nobody else waiting.
      const isUnbelieved = error instanceof ClientError && (error.code === "untrusted-keys" || !error.retryable);
      if (!isUnbelieved || error.code.startsWith("storage-")) throw error;
    }
  }

  /** True when nothing more is expected of this message. */
  async #receive(records: Writer, { delivery, opened }: Arrived): Promise<boolean> {
    const { sending } = this.#parts;
    const account = await sending.accounts.find(records, opened.sender.userId);
    if (account === undefined || !matchesAccount(opened, account)) {
      // Not one of their devices, as far as anybody has shown us: it comes again, and perhaps their log by then.
      if (account === undefined || !standsInAccount(opened, account)) return false;
      await this.#tellPutOut(records, opened.sender);
      return true;
    }
    switch (opened.contentKind) {
      case "message":
      case "prekey":
        await this.#open(records, delivery, opened, { kind: opened.contentKind, bytes: opened.content });
        return true;
      case "sender-key":
        await this.groups.receive(records, delivery, opened.sender, opened.content);
        return true;
      case "plaintext":
        await answerReport(sending, records, opened.sender, opened.content);
        return true;
      default:
        return assertNever(opened.contentKind);
    }
  }

  /** What a device wrote before it was put out cannot be told from what its thief writes: it is not shown, and its reader is told. */
  async #tellPutOut(records: Writer, { userId, deviceId }: DeviceAddress): Promise<void> {
    if ((await contactOf(records, userId)).state !== "accepted") return;
    await recordEvent(records, { type: "notice", kind: "unreadable", peer: userId, deviceId, reason: "device-removed" });
  }

  async #open(records: Writer, delivery: Deliver, opened: OpenedContent, message: SessionMessage): Promise<void> {
    const { sending } = this.#parts;
    const { sender, identityKey } = opened;
    const record = (await records.get(SESSIONS, sender.userId, sender.deviceId)) ?? EMPTY_RECORD;
    const outcome = openMessage(
      record,
      {
        local: sending.self.local,
        remote: sender,
        remoteIdentity: identityKey,
        message,
        preKeys: await preKeysFor(records, message),
        requireAddresses: true,
      },
      sending.random,
    );
    if (outcome.kind === "refused") {
      if (outcome.code === "duplicate" || outcome.code === "replayed" || delivery.envelope.ephemeral) return;
      const { messageId: envelopeId } = delivery.envelope;
      const unreadable = { sender, ...message, envelopeId, reason: outcome.code };
      await reportUnreadable(sending, records, unreadable);
      return;
    }
    records.put(SESSIONS, outcome.state, sender.userId, sender.deviceId);
    records.spend(outcome.spent);
    if (outcome.output.used !== undefined) {
      await spendPreKeys(records, outcome.output.used);
      await noteRepaired(records, sender);
    }
    await this.#take(records, delivery, sender, outcome.output.plaintext);
  }

  /** What a session has authenticated. */
  async #take(records: Writer, delivery: Deliver, sender: DeviceAddress, plaintext: Bytes): Promise<void> {
    const { sending } = this.#parts;
    const decoded = decodePlaintext(plaintext);
    if (typeof decoded === "string") {
      const reason = decoded === "unknown-critical" ? "upgrade-required" : decoded;
      const notice = { type: "notice", kind: "unreadable", peer: sender.userId, deviceId: sender.deviceId, reason } as const;
      await recordEvent(records, notice);
      return;
    }
    const own = sending.self.local.address;
    const { copy, content } = decoded;
    if (content.conversation.kind === "group") {
      await this.groups.take(records, sender, copy, content);
      return;
    }
    const relation: Relation = sender.userId === own.userId ? "self" : (await contactOf(records, sender.userId)).state;
    const channel = delivery.envelope.ephemeral ? "ephemeral" : "queued";
    const refusal = validateIncoming({ copy, content, sender, own, channel, relation });
    // What a blocked person says keeps its place in the order and does nothing: unblocked, they are not taken for somebody with gaps.
    if (refusal !== undefined && !(refusal === "not-allowed" && relation === "blocked" && channel === "queued")) return;
    await this.#compareHeads(records, sender, content);
    if (channel === "ephemeral") {
      records.afterwards(() => this.#parts.onEphemeral({ sender, content }));
      return;
    }
    if (await this.#isMarked(records, sender, content)) return;
    if (content.position === undefined) {
      const { body } = content;
      if (body.kind === "sync") await applyTold(sending, records, { sender, body }, this.#parts.onGroupChanged);
      return;
    }
    // A device that was there from the start has missed nothing before the first. One that came later joins in.
    const fromTheStart = own.deviceId === 1;
    await this.#sequences.take(records, { conversation: sender.userId, sender, content, bytes: copy.content, fromTheStart });
  }

  /** Each message says what its sender has seen of both logs: a server that shows two histories is caught here. */
  async #compareHeads(records: Writer, sender: DeviceAddress, content: Content): Promise<void> {
    const { accounts, self } = this.#parts.sending;
    const theirs = await accounts.compare(records, sender.userId, content.senderHead);
    if (theirs === "behind") records.afterwards(() => void this.#learn(sender.userId).catch(() => undefined));
    const own = self.local.address.userId;
    // Our other device has seen one log of ours, and says it twice.
    if (content.conversation.kind !== "direct" || sender.userId === own) return;
    const ours = await accounts.compareOwn(records, own, content.conversation.recipientHead, sender.userId);
    if (ours === "behind") records.afterwards(this.#parts.onOwnLogChanged);
  }

  async #isMarked(records: Writer, sender: DeviceAddress, { messageId }: Content): Promise<boolean> {
    const period = markPeriod(this.#parts.sending.clock);
    const name = `${sender.userId}/${sender.deviceId}/${messageId}`;
    for (let back = 0; back < MARK_PERIODS; back++) {
      if ((await records.get(MARKS, period - back, name)) !== undefined) return true;
    }
    records.put(MARKS, 1, period, name);
    return false;
  }

  async #takeFromGroup(records: Writer, { group, sender, content, bytes }: Said): Promise<void> {
    const { groupId } = group.state;
    const fromTheStart = !group.known.before.includes(sender.userId);
    await this.#sequences.take(records, { conversation: groupId, sender, content, bytes, fromTheStart });
  }

  async #applyInGroup(records: Writer, { group, sender, content }: Said): Promise<void> {
    await applyContent(this.#parts.sending, records, { content, sender, conversation: group.state.groupId, gapBefore: false });
  }
}

/** A newer server may say more. */
function noticeIn(content: Bytes): Notice["notice"] | undefined {
  try {
    return decodeNotice(copy(content)).notice;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

async function preKeysFor(records: Writer, message: SessionMessage): Promise<Awaited<ReturnType<typeof loadPreKeys>> | undefined> {
  if (message.kind !== "prekey") return undefined;
  try {
    return await loadPreKeys(records, preKeysNeeded(message.bytes));
  } catch (error) {
    // `openMessage` refuses it for the same reason.
    if (error instanceof WireError || error instanceof ProtocolError) return undefined;
    throw error;
  }
}
