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
import { Persevering } from "../sending/persevering.ts";
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

export class Avatars extends Persevering {
  readonly #parts: AvatarsParts;
  readonly #failures = new Map<ConversationId, Failed>();

  constructor(parts: AvatarsParts) {
    super(parts.sending, (signal) => this.#goOn(signal));
    this.#parts = parts;
  }

  override retryNow(): void {
    this.#failures.clear();
    super.retryNow();
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

  async #goOn(signal: AbortSignal): Promise<ClientError | undefined> {
    const { sending } = this.#parts;
    this.#failures.clear();
    for (const work of await sending.vault.read((records) => dueIn(sending, records))) await this.#try(work, signal);
    const [failed] = this.#failures.values();
    return failed?.error;
  }

  /** One that cannot be had for now keeps no other waiting. */
  async #try({ of, what }: Work, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      if (what === "fetch") await this.#fetch(of, signal);
      else if (what === "renew") await this.#renew(of, signal);
      else if (isGroupId(of)) await this.#enter(of, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.set(of, { what, error: error instanceof ClientError ? error : new ClientError("server-failed", { cause: error }) });
    }
  }

  async #fetch(of: ConversationId, signal: AbortSignal): Promise<void> {
    const { vault, clock, random } = this.#parts.sending;
    const { fetchAvatar } = await import("./fetch.ts");
    await fetchAvatar(vault, of, { server: await this.#parts.server(), clock, random, signal });
  }

  async #renew(of: ConversationId, signal: AbortSignal): Promise<void> {
    const { renew } = await import("./setting.ts");
    await renew(this.#parts.sending, of, this.#parts.worker(), signal);
  }

  /** Says in a group's log what the server has now. What comes of it is read there, like everybody else's word. */
  async #enter(groupId: GroupId, signal: AbortSignal): Promise<void> {
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
        signal,
      );
    } catch (error) {
      if (!(error instanceof ClientError) || error.retryable || error.code.startsWith("storage-")) throw error;
      await end(error);
      return;
    }
    await end();
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
