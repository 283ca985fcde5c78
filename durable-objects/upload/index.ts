// Upload: the one writer of a file that comes in several requests. The shell: it asks core.ts to decide and acts. Parts of
// five MiB go to the bucket, what is too little for one waits here. The object knows the file's id and length, and not whose it is.
//
// Any step may be the last: what is durable is what the rows say, and whoever comes next carries on from there.

import { DurableObject } from "cloudflare:workers";
import { equal, type Sha256Stream, sha256Stream } from "#crypto";
import { ABANDONED_UPLOAD_SECONDS, copy, parseMediaId } from "#wire";
import type { UploadEnv } from "../env.ts";
import type { Append, AppendResult, NewUpload, NoProgress, Progress, UploadApi } from "./api.ts";
import { Arrival } from "./arrival.ts";
import { IncomingBody } from "./body.ts";
import { decideAppend, progressOf } from "./core.ts";
import { BucketFailure, BucketFile } from "./file.ts";
import { type UploadRecord, UploadRows } from "./record.ts";

const DAY_MILLISECONDS = ABANDONED_UPLOAD_SECONDS * 1000;
const RETRY_MILLISECONDS = 3600 * 1000;

interface Receiving extends Pick<Append, "declaredLength" | "digest"> {
  readonly body: IncomingBody;
  readonly record: UploadRecord;
  readonly room: number;
}

type Removed = { readonly kind: "removed" } | NoProgress;

export class Upload extends DurableObject<UploadEnv> implements UploadApi {
  readonly #rows: UploadRows = new UploadRows(this.ctx.storage);
  readonly #file: BucketFile = new BucketFile(this.env.MEDIA, parseMediaId(this.ctx.id.name));
  /** Calls wait for each other, */
  #last: Promise<unknown> = Promise.resolve();
  /** and end the one before that reads a body: its client may be gone, and nobody knows it yet. */
  #newest = new AbortController();

  async create(upload: NewUpload): Promise<Progress | NoProgress> {
    return await this.#inTurn(async () => {
      if (this.#rows.record === undefined) {
        const expires = Date.now() + DAY_MILLISECONDS;
        // An alarm without an upload is nothing, an upload without an alarm might stay for ever.
        await this.ctx.storage.setAlarm(expires);
        this.#rows.create(upload, expires);
      }
      return progressOf(this.#rows.record, Date.now());
    });
  }

  async progress(): Promise<Progress | NoProgress> {
    return await this.#inTurn(async () => await this.#settled());
  }

  async append(append: Append, body: ReadableStream<Uint8Array>): Promise<AppendResult> {
    return await this.#inTurn(async (giveUp) => await this.#append(append, new IncomingBody(body, giveUp)));
  }

  async remove(): Promise<Removed> {
    return await this.#inTurn(async () => {
      const { record } = this.#rows;
      // Of an upload that is long over, the file may still be there.
      if (record === undefined) return { kind: (await this.#file.remove()) ? "removed" : "unknown" };
      if (record.state === "gone") return { kind: "gone" };
      await this.#remove(record);
      return { kind: "removed" };
    });
  }

  override async alarm(): Promise<void> {
    const outcome = await this.#inTurn(async () => await this.#upkeep());
    // The platform gives an alarm up that failed a few times; what this one is for must not be given up.
    if (outcome.kind === "unavailable") await this.ctx.storage.setAlarm(Date.now() + RETRY_MILLISECONDS);
  }

  async #upkeep(): Promise<NoProgress | { readonly kind: "done" }> {
    const { record } = this.#rows;
    if (record === undefined) return { kind: "done" };
    if (record.state !== "open") {
      await this.#rows.forget();
      return { kind: "done" };
    }
    const isOver = Date.now() >= record.expiresMilliseconds;
    // Before anything else: whatever becomes of it now, its rows go then.
    await this.ctx.storage.setAlarm(isOver ? Date.now() + DAY_MILLISECONDS : record.expiresMilliseconds);
    if (isComplete(record)) await this.#finish(record);
    else if (isOver) await this.#remove(record);
    return { kind: "done" };
  }

  async #append(append: Append, body: IncomingBody): Promise<AppendResult> {
    const progress = await this.#settled();
    const { record } = this.#rows;
    if (record === undefined || progress.kind !== "progress") return await refused(body, progress);
    const decision = decideAppend(progress, append);
    if (decision.kind !== "take") return await refused(body, decision);
    return await this.#receive({ ...append, body, record, room: decision.room });
  }

  async #receive({ body, record, room, digest, declaredLength = 0 }: Receiving): Promise<AppendResult> {
    const hash = digest === undefined ? undefined : sha256Stream();
    const arrival = new Arrival({ rows: this.#rows, file: this.#file, record, allOrNothing: digest !== undefined });
    const taken = await takeAll(body, room, arrival, hash);
    if (taken === undefined) return await refused(body, { kind: "too-large" });
    const isShort = body.isCutShort || taken < declaredLength;
    if (hash !== undefined && digest !== undefined) {
      if (isShort) return { kind: "conflict", offset: record.offset };
      if (!equal(hash.digest(), digest)) return { kind: "checksum-mismatch" };
    }
    await arrival.keep();
    const now = await this.#settled();
    return isShort && now.kind === "progress" ? { kind: "conflict", offset: now.offset } : now;
  }

  /** How far the upload is, after what a crash has left undone. */
  async #settled(): Promise<Progress | NoProgress> {
    const { record } = this.#rows;
    if (record?.state === "open" && isComplete(record)) await this.#finish(record);
    return progressOf(this.#rows.record, Date.now());
  }

  /** All bytes are in the bucket, as parts: makes them a file. */
  async #finish({ multipart, parts, length }: UploadRecord): Promise<void> {
    try {
      await this.#file.join(multipart ?? "", parts, length);
      this.#rows.finish();
    } catch (error) {
      if (!(error instanceof BucketFailure) || !error.isFinal) throw error;
      // The bucket has lost parts that it had: there is nothing to carry on from.
      this.#rows.bury();
    }
  }

  async #remove({ multipart }: UploadRecord): Promise<void> {
    if (multipart !== undefined) await this.#file.abort(multipart);
    await this.#file.remove();
    await this.ctx.storage.setAlarm(Date.now() + DAY_MILLISECONDS);
    this.#rows.bury();
  }

  async #inTurn<T extends { readonly kind: string }>(work: (giveUp: AbortSignal) => Promise<T>): Promise<T | NoProgress> {
    this.#newest.abort();
    const own = new AbortController();
    this.#newest = own;
    const turn = this.#last.then(async () => await work(own.signal));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      if (error instanceof BucketFailure) return { kind: "unavailable" };
      throw error;
    }
  }
}

/** So that a client that is still sending hears it. */
async function refused<Answer extends AppendResult>(body: IncomingBody, answer: Answer): Promise<Answer> {
  await body.discard();
  return answer;
}

/** How many bytes came; `undefined` for more than there is room for. */
async function takeAll(body: IncomingBody, room: number, arrival: Arrival, hash: Sha256Stream | undefined): Promise<number | undefined> {
  let taken = 0;
  for (let bytes = await body.next(); bytes !== undefined; bytes = await body.next()) {
    taken += bytes.length;
    if (taken > room) return undefined;
    hash?.update(copy(bytes));
    await arrival.take(bytes);
  }
  return taken;
}

function isComplete({ offset, length }: UploadRecord): boolean {
  return offset === length;
}
