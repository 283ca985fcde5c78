// The outbox: takes jobs to the server, in order for each recipient, some at a time, until the server has them for every
// device. What fails for now is tried again, later and later; what fails for good is given up in the open.

import type { PublicKey } from "#crypto";
import { sealForOne } from "#protocol";
import { type Bytes, type GroupId, MAX_DEVICES_PER_ACCOUNT, type SendRequest, type UserId } from "#wire";
import { conversationTopic, recordEvent } from "../core.ts";
import { ClientError } from "../errors.ts";
import { CONTACTS, type ConversationId, GROUP_JOBS, JOBS, type Job, MESSAGES, type MessagePlace } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { type Outgoing, sendToGroup } from "../groups/outgoing.ts";
import { isGroupId } from "../groups/state.ts";
import { certificateOf } from "./certificate.ts";
import type { Sending } from "./compose.ts";
import { tellSent } from "./own-devices.ts";
import { FIRST_PAUSE_MILLISECONDS, pauseMilliseconds } from "./pause.ts";
import { recipientsOf, removeGroupJob, removeJob } from "./queue.ts";
import { prepareSessions, sealJob } from "./sealing.ts";

/** Sealed in one transaction, and settled in one. */
const BATCH = 16;
const MAX_REPAIRS = 3;
/** Until a group's keys have gone out, or the server is done with its message. */
const GROUP_PAUSE_MILLISECONDS = 250;

type Result = { readonly job: Job } & (
  | { readonly kind: "accepted" | "changed" }
  | { readonly kind: "failed"; readonly error: ClientError }
);

/** Recipients whose last try failed. */
interface Lane {
  readonly attempts: number;
  readonly waiting: boolean;
  readonly cancelRetry: () => void;
}

export class Outbox {
  readonly #sending: Sending;
  readonly #follow: Outgoing["follow"];
  readonly #lanes = new Map<ConversationId, Lane>();
  readonly #running = new Map<ConversationId, Promise<void>>();
  /** Who got more to send while they were being served, perhaps just too late to be seen. */
  readonly #missed = new Set<ConversationId>();
  /** Why the last try of a recipient's jobs failed, until the next one. */
  readonly #failures = new Map<ConversationId, ClientError>();
  readonly #listeners = new Set<() => void>();
  readonly #end = new AbortController();
  #again = false;
  #cancelLook: () => void = () => undefined;
  #looking: Promise<void> | undefined;

  /** @param follow reads what is new in a group's log */
  constructor(sending: Sending, follow: Outgoing["follow"]) {
    this.#sending = sending;
    this.#follow = follow;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#end.signal.aborted) return;
    this.#again = true;
    this.#looking ??= this.#look()
      .catch(() => this.#lookLater())
      .finally(() => {
        this.#looking = undefined;
        // Somebody may have called between the last look and this.
        if (this.#again) this.wake();
      });
  }

  /** The connection is back: nobody waits any longer. */
  retryNow(): void {
    for (const lane of this.#lanes.values()) lane.cancelRetry();
    this.#lanes.clear();
    this.#failures.clear();
    this.wake();
  }

  failureOf(recipient: ConversationId): ClientError | undefined {
    return this.#failures.get(recipient);
  }

  get failures(): readonly ClientError[] {
    return [...this.#failures.values()];
  }

  /** Called back after every try. */
  onTried(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#cancelLook();
    for (const lane of this.#lanes.values()) lane.cancelRetry();
    await this.#looking;
    await Promise.allSettled(this.#running.values());
  }

  async #look(): Promise<void> {
    while (this.#again && !this.#end.signal.aborted) {
      this.#again = false;
      for (const recipient of await this.#sending.vault.read(recipientsOf)) this.#run(recipient);
    }
  }

  /** The store could not be read: it is still there, and so is what it holds. */
  #lookLater(): void {
    if (this.#end.signal.aborted) return;
    this.#cancelLook = this.#sending.clock.after(FIRST_PAUSE_MILLISECONDS, () => this.wake());
  }

  #run(recipient: ConversationId): void {
    if (this.#running.has(recipient)) this.#missed.add(recipient);
    if (this.#running.has(recipient) || this.#lanes.get(recipient)?.waiting === true) return;
    this.#failures.delete(recipient);
    const running = this.#empty(recipient).finally(() => {
      this.#running.delete(recipient);
      if (this.#missed.delete(recipient)) this.wake();
      for (const listener of this.#listeners) listener();
    });
    this.#running.set(recipient, running);
  }

  async #empty(recipient: ConversationId): Promise<void> {
    try {
      while (!this.#end.signal.aborted && (await this.#sendSome(recipient))) this.#lanes.delete(recipient);
    } catch (error) {
      if (this.#end.signal.aborted) return;
      const failure = asClientError(error);
      if (failure.retryable) this.#pause(recipient, failure);
      else await this.#giveUp(recipient, failure).catch((cause: unknown) => this.#pause(recipient, asClientError(cause)));
    }
  }

  #pause(recipient: ConversationId, failure: ClientError): void {
    this.#failures.set(recipient, failure);
    const attempts = (this.#lanes.get(recipient)?.attempts ?? 0) + 1;
    const pause = pauseMilliseconds(attempts, failure, this.#sending.random);
    const cancelRetry = this.#sending.clock.after(pause, () => {
      this.#lanes.set(recipient, { attempts, waiting: false, cancelRetry });
      this.wake();
    });
    this.#lanes.set(recipient, { attempts, waiting: true, cancelRetry });
  }

  /** True when there may be more. */
  async #sendSome(recipient: ConversationId): Promise<boolean> {
    return isGroupId(recipient) ? await this.#sendToGroup(recipient) : await this.#sendBatch(recipient);
  }

  async #sendToGroup(groupId: GroupId): Promise<boolean> {
    const parts = {
      sending: this.#sending,
      follow: this.#follow,
      isFailing: (userId: UserId) => this.#failures.has(userId),
      settled: async (records: Writer, { message }: { readonly message: MessagePlace | undefined }) => {
        if (message !== undefined) await markSent(records, message);
      },
    };
    const outcome = await sendToGroup(parts, groupId, this.#end.signal);
    if (outcome === "keys-first") this.#rest(groupId);
    if (outcome === "waiting") this.#sending.clock.after(GROUP_PAUSE_MILLISECONDS, () => this.wake());
    return outcome === "more";
  }

  /** Each of the others' jobs wakes the outbox, and a hundred looks at the same hundred members would cost more than the sending. */
  #rest(groupId: GroupId): void {
    const cancelRetry = this.#sending.clock.after(GROUP_PAUSE_MILLISECONDS, () => {
      this.#lanes.delete(groupId);
      this.wake();
    });
    this.#lanes.set(groupId, { attempts: 0, waiting: true, cancelRetry });
  }

  async #sendBatch(recipient: UserId): Promise<boolean> {
    const { vault } = this.#sending;
    let jobs = await vault.read(async (records) => (await records.page(JOBS, [recipient], { limit: BATCH })).map(({ value }) => value));
    if (jobs.length === 0) return false;
    for (let repairs = 0; jobs.length > 0; repairs++) {
      if (repairs > MAX_REPAIRS) throw new ClientError("devices-changing");
      const results = await this.#try(recipient, jobs, repairs > 0);
      await vault.write((records) => this.#settle(records, results));
      const failed = results.find((result) => result.kind === "failed");
      if (failed !== undefined) throw failed.error;
      jobs = results.filter(({ kind }) => kind === "changed").map(({ job }) => job);
    }
    return true;
  }

  async #try(recipient: UserId, jobs: readonly Job[], changed: boolean): Promise<readonly Result[]> {
    const { vault } = this.#sending;
    await prepareSessions(this.#sending, recipient, changed, this.#end.signal);
    const sealed = await vault.write(async (records) => {
      const done: Job[] = [];
      for (const job of jobs) {
        // Another program may have sent it meanwhile, or sealed it.
        const current = await records.get(JOBS, recipient, job.ordinal);
        if (current !== undefined) done.push(await sealJob(this.#sending, records, current));
      }
      return done;
    });
    const certificate = await certificateOf(this.#sending);
    const identities = await this.#identities(recipient);
    // One after the other: what goes out beside a message that is lost comes before it, and its reader is told of a gap.
    const results: Result[] = [];
    for (const job of sealed) {
      const result = await this.#transmit(job, certificate, identities);
      results.push(result);
      if (result.kind !== "accepted") break;
    }
    return results;
  }

  async #transmit(job: Job, senderCertificate: Bytes, identities: ReadonlyMap<number, PublicKey>): Promise<Result> {
    const { server, self, random } = this.#sending;
    const devices = (job.copies ?? []).flatMap(({ deviceId, registrationId, kind, bytes }): SendRequest["devices"] => {
      const recipient = identities.get(deviceId);
      if (recipient === undefined) return [];
      const input = {
        sender: self.local.identity,
        senderCertificate,
        kind,
        content: bytes,
        contentHint: 1,
        groupId: undefined,
        recipient,
      } as const;
      return [{ deviceId, registrationId, content: sealForOne(input, random) }];
    });
    if (devices.length === 0) return { kind: "accepted", job };
    const isOwn = job.recipient === self.local.address.userId;
    const scope = job.only !== undefined || isOwn ? "some" : "all";
    try {
      const request = { messageId: job.envelopeId, scope, devices: devices.slice(0, MAX_DEVICES_PER_ACCOUNT), ephemeral: false } as const;
      const answer = await server.sendMessages(job.recipient, request, this.#end.signal);
      return { kind: answer.kind === "accepted" ? "accepted" : "changed", job };
    } catch (error) {
      if (error instanceof ClientError) return { kind: "failed", job, error };
      throw error;
    }
  }

  async #settle(records: Writer, results: readonly Result[]): Promise<void> {
    for (const { kind, job } of results) {
      if (kind !== "accepted") continue;
      if (await removeJob(records, job)) await tellSent(this.#sending, records, job);
      if (job.message !== undefined && (await isLastOf(records, job.message))) await markSent(records, job.message);
    }
  }

  /** The first of the recipient's jobs fails, and those behind it get their own try. */
  async #giveUp(recipient: ConversationId, failure: ClientError): Promise<void> {
    await this.#sending.vault.write(async (records) => {
      const message = isGroupId(recipient) ? await dropFirstOfGroup(records, recipient) : await dropFirst(records, recipient);
      const isGone = failure.code === "unknown-user" || failure.code === "account-deleted";
      if (!isGroupId(recipient) && isGone) await markGone(records, recipient);
      if (failure.code === "account-deleted" && (message === undefined || isGroupId(message.conversation))) {
        // Of the account they are told; and a message to a group has not failed because one of its members is there no more.
        if (message !== undefined && (await isLastOf(records, message))) await markSent(records, message);
        return;
      }
      if (message !== undefined) await markFailed(records, message, failure);
      const notice = { type: "notice", kind: "not-sent", deviceId: undefined, reason: failure.code } as const;
      const about = isGroupId(recipient) ? { peer: this.#sending.self.local.address.userId, groupId: recipient } : { peer: recipient };
      await recordEvent(records, { ...notice, ...about });
    });
    this.#sending.clock.after(0, () => this.wake());
  }

  async #identities(recipient: UserId): Promise<ReadonlyMap<number, PublicKey>> {
    const account = await this.#sending.vault.read((records) => this.#sending.accounts.require(records, recipient));
    return new Map(account.devices.map(({ deviceId, identityKey }) => [deviceId, identityKey]));
  }
}

function asClientError(error: unknown): ClientError {
  return error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
}

/** The first job of a lane goes. Returns the message that it carried. */
async function dropFirst(records: Writer, recipient: UserId): Promise<MessagePlace | undefined> {
  const [first] = await records.page(JOBS, [recipient], { limit: 1 });
  if (first !== undefined) await removeJob(records, first.value);
  return first?.value.message;
}

async function dropFirstOfGroup(records: Writer, groupId: GroupId): Promise<MessagePlace | undefined> {
  const [first] = await records.page(GROUP_JOBS, [groupId], { limit: 1 });
  if (first !== undefined) await removeGroupJob(records, first.value);
  return first?.value.message;
}

/** A message to a group may be on its way to several people one by one. */
async function isLastOf(records: Writer, { conversation, ordinal }: MessagePlace): Promise<boolean> {
  if (!isGroupId(conversation)) return true;
  const others = await records.all(JOBS);
  return !others.some(({ message }) => message?.conversation === conversation && message.ordinal === ordinal);
}

async function markSent(records: Writer, { conversation, ordinal }: MessagePlace): Promise<void> {
  const message = await records.get(MESSAGES, conversation, ordinal);
  if (message?.state !== "queued") return;
  records.put(MESSAGES, { ...message, state: "sent", error: undefined }, conversation, ordinal);
  records.touch(conversationTopic(conversation));
}

/** Their username is looked up again when somebody writes to it: it may be another account's by now. */
async function markGone(records: Writer, userId: UserId): Promise<void> {
  const contact = await records.get(CONTACTS, userId);
  if (contact !== undefined) records.put(CONTACTS, { ...contact, gone: true }, userId);
}

async function markFailed(records: Writer, { conversation, ordinal }: MessagePlace, { code }: ClientError): Promise<void> {
  const message = await records.get(MESSAGES, conversation, ordinal);
  if (message === undefined) return;
  records.put(MESSAGES, { ...message, state: "failed", error: code }, conversation, ordinal);
  records.touch(conversationTopic(conversation));
}
