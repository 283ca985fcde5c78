// Pictures of people and groups on their way: what was told of is fetched, what a group is to show is entered into its log, and what the
// server is about to forget is brought there again. What fails for now is tried again, and no message waits for it.

import type { GroupId } from "#wire";
import { ClientError } from "../errors.ts";
import type { GroupLogs } from "../groups/log.ts";
import { isGroupId } from "../groups/state.ts";
import { toPointer } from "../media/attachments.ts";
import type { MediaServer } from "../media/media-server.ts";
import type { Worker } from "../media/upload-records.ts";
import { AVATARS, type AvatarRecord, type ConversationId } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { pauseMilliseconds } from "../sending/pause.ts";
import { avatarOf, endPending, wanted } from "./records.ts";
import { isRenewalDue } from "./renewal.ts";

export interface AvatarsParts {
  readonly sending: Sending;
  readonly server: () => Promise<MediaServer>;
  readonly groups: GroupLogs;
  /** This program, as it claims uploads. */
  readonly worker: () => Worker;
}

interface Work {
  readonly of: ConversationId;
  readonly what: "enter" | "renew" | "fetch";
}

interface Failed extends Pick<Work, "what"> {
  readonly error: ClientError;
}

export class Avatars {
  readonly #parts: AvatarsParts;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #failures = new Map<ConversationId, Failed>();
  #working: Promise<void> | undefined;
  #again = false;
  #attempts = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(parts: AvatarsParts) {
    this.#parts = parts;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stop.signal.aborted || this.#cancelRetry !== undefined) return;
    this.#again = true;
    this.#working ??= this.#work()
      .catch((error: unknown) => this.#retryLater(error))
      .finally(() => {
        this.#working = undefined;
        for (const listener of this.#listeners) listener();
        if (this.#again) this.wake();
      });
  }

  /** The connection is back: nobody waits any longer. */
  retryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#failures.clear();
    this.wake();
  }

  /** What keeps a group's picture from being entered for now. */
  failureOf(of: ConversationId): ClientError | undefined {
    const failed = this.#failures.get(of);
    return failed?.what === "enter" ? failed.error : undefined;
  }

  get failures(): readonly ClientError[] {
    return [...this.#failures.keys()].flatMap((of) => this.failureOf(of) ?? []);
  }

  /** Whether a picture that was told of is being fetched. What cannot be had for now is not waited for. */
  async isFetching(records: Reader): Promise<boolean> {
    for (const row of await records.all(AVATARS)) {
      if (row.failures === 0 && !this.#failures.has(row.of) && (await wanted(records, row)) !== undefined) return true;
    }
    return false;
  }

  /** Called back after every try. */
  onTried(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#again = false;
    this.#cancelRetry?.();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { sending } = this.#parts;
    while (this.#again) {
      this.#again = false;
      for (const work of await sending.vault.read((records) => dueIn(sending, records))) await this.#try(work);
    }
    const [failed] = this.#failures.values();
    if (failed !== undefined) throw failed.error;
    this.#attempts = 0;
  }

  /** One that cannot be had for now keeps no other waiting. */
  async #try({ of, what }: Work): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    try {
      if (what === "fetch") await this.#fetch(of);
      else if (what === "renew") await this.#renew(of);
      else if (isGroupId(of)) await this.#enter(of);
      this.#failures.delete(of);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.set(of, { what, error: error instanceof ClientError ? error : new ClientError("server-failed", { cause: error }) });
    }
  }

  async #fetch(of: ConversationId): Promise<void> {
    const { vault, clock, random } = this.#parts.sending;
    const { fetchAvatar } = await import("./fetch.ts");
    await fetchAvatar(vault, of, { server: await this.#parts.server(), clock, random, signal: this.#stop.signal });
  }

  async #renew(of: ConversationId): Promise<void> {
    const { renew } = await import("./setting.ts");
    await renew(this.#parts.sending, of, this.#parts.worker(), this.#stop.signal);
  }

  /** Says in a group's log what the server has now. What comes of it is read there, like everybody else's word. */
  async #enter(groupId: GroupId): Promise<void> {
    const { sending, groups } = this.#parts;
    const { pending } = await sending.vault.read((records) => avatarOf(records, groupId));
    const avatar = pending === undefined ? undefined : toPointer(pending.file);
    if (pending === undefined || avatar === undefined) return;
    const end = (error?: ClientError): Promise<void> =>
      sending.vault.write(async (records) => {
        if ((await avatarOf(records, groupId)).pending?.ordinal === pending.ordinal) await endPending(records, groupId, error?.code);
      });
    try {
      await groups.append(
        groupId,
        ({ state }) => {
          const now = state.avatar?.mediaId;
          const isDone = now === avatar.mediaId || (pending.renews !== undefined && now !== pending.renews);
          return isDone ? undefined : { kind: "avatar", avatar };
        },
        this.#stop.signal,
      );
    } catch (error) {
      if (!(error instanceof ClientError) || error.retryable || error.code.startsWith("storage-")) throw error;
      await end(error);
      return;
    }
    await end();
  }

  #retryLater(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const failure = error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
    this.#again = false;
    const pause = pauseMilliseconds(++this.#attempts, failure, this.#parts.sending.random);
    this.#cancelRetry = this.#parts.sending.clock.after(pause, () => {
      this.#cancelRetry = undefined;
      this.#failures.clear();
      this.wake();
    });
  }
}

async function dueIn(sending: Sending, records: Reader): Promise<readonly Work[]> {
  const due: Work[] = [];
  for (const row of await records.all(AVATARS)) {
    const { of } = row;
    if (isToBeEntered(row)) due.push({ of, what: "enter" });
    if (await isRenewalDue(sending, records, row)) due.push({ of, what: "renew" });
    if (row.retryMilliseconds <= sending.clock.nowMilliseconds() && (await wanted(records, row)) !== undefined)
      due.push({ of, what: "fetch" });
  }
  return due;
}

function isToBeEntered({ of, pending }: AvatarRecord): boolean {
  return isGroupId(of) && pending?.file.stored !== undefined && pending.error === undefined;
}

/** Whether a picture of ours is on its way to whom it is for. */
export async function isSettingAvatar(records: Reader): Promise<boolean> {
  return (await records.all(AVATARS)).some(({ pending }) => pending !== undefined && pending.error === undefined);
}
