// The queues of a mailbox, one per device, in SQLite: one row written to store a message, one to delete it. How full a
// queue is and which ids it holds is counted once per life of the object and kept in memory: reading is cheap, writing
// is what costs. Everything is synchronous, so the object's output gate covers it.
//
// The newest row of a queue is never deleted but emptied, and the next message takes its place (as cheap as a new row). So
// the highest number that a device ever had is always there, and none is used twice though the queue was empty, the object
// gone and the clock set back in between.

import { type Bytes, type DeviceId, type MessageId, parseMessageId, uuidFromBytes, uuidToBytes } from "#wire";
import { expiryBound, nextSequence, type QueueSize } from "./core.ts";

const MESSAGE_ID_BYTES = 16;

export interface Queued {
  readonly seq: number;
  /** The encoded envelope. */
  readonly envelope: Bytes;
}

interface DeviceQueue {
  readonly bySequence: Map<number, { readonly messageId: MessageId; readonly bytes: number }>;
  readonly ids: Set<MessageId>;
  bytes: number;
  last: number;
  /** Whether the row numbered `last` is emptied. */
  isLastEmptied: boolean;
}

/** What a store must offer, so that cheaper strategies can take this one's place. */
export class MessageQueue {
  readonly #sql: SqlStorage;
  readonly #queues = new Map<DeviceId, DeviceQueue>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  size(device: DeviceId): QueueSize {
    const queue = this.#load(device);
    return { messages: queue.bySequence.size, bytes: queue.bytes };
  }

  has(device: DeviceId, messageId: MessageId): boolean {
    return this.#load(device).ids.has(messageId);
  }

  /** Stores one message and returns its number. The caller has checked quota and repetition. */
  put(device: DeviceId, messageId: MessageId, envelope: Bytes, nowMilliseconds: number): number {
    const queue = this.#load(device);
    const seq = nextSequence(queue.last, nowMilliseconds);
    const body = new Uint8Array(MESSAGE_ID_BYTES + envelope.length);
    body.set(uuidToBytes(messageId));
    body.set(envelope, MESSAGE_ID_BYTES);
    if (queue.isLastEmptied) {
      this.#sql.exec("UPDATE messages SET seq = ?2, body = ?3 WHERE device = ?1 AND seq = ?4", device, seq, body.buffer, queue.last);
    } else this.#sql.exec("INSERT INTO messages (device, seq, body) VALUES (?1, ?2, ?3)", device, seq, body.buffer);
    note(queue, seq, messageId, envelope.length);
    return seq;
  }

  /** What is queued, oldest first. */
  numbers(device: DeviceId): IterableIterator<number> {
    return this.#load(device).bySequence.keys();
  }

  /** The length of an envelope that is queued. */
  bytesOf(device: DeviceId, seq: number): number {
    return this.#load(device).bySequence.get(seq)?.bytes ?? 0;
  }

  /** The highest number that the device ever had. */
  last(device: DeviceId): number {
    return this.#load(device).last;
  }

  /** Encoded envelopes after `seq`, oldest first, as far as the caller reads on without waiting for anything. */
  *after(device: DeviceId, seq: number): Generator<Queued> {
    const rows = this.#sql.exec<{ seq: number; body: ArrayBuffer }>(
      "SELECT seq, body FROM messages WHERE device = ?1 AND seq > ?2 AND length(body) > 0 ORDER BY seq",
      device,
      seq,
    );
    for (const { seq: number, body } of rows) yield { seq: number, envelope: new Uint8Array(body, MESSAGE_ID_BYTES) };
  }

  envelope(device: DeviceId, seq: number): Bytes | undefined {
    const [row] = [
      ...this.#sql.exec<{ body: ArrayBuffer }>(
        "SELECT body FROM messages WHERE device = ?1 AND seq = ?2 AND length(body) > 0",
        device,
        seq,
      ),
    ];
    return row === undefined ? undefined : new Uint8Array(row.body, MESSAGE_ID_BYTES);
  }

  /** Forgets acknowledged messages; numbers that are not queued are nobody's loss. Returns how many there were. */
  remove(device: DeviceId, sequences: readonly number[]): number {
    const queue = this.#load(device);
    let removed = 0;
    for (const seq of sequences) {
      const queued = queue.bySequence.get(seq);
      if (queued === undefined) continue;
      if (seq === queue.last) {
        this.#sql.exec("UPDATE messages SET body = x'' WHERE device = ?1 AND seq = ?2", device, seq);
        queue.isLastEmptied = true;
      } else this.#sql.exec("DELETE FROM messages WHERE device = ?1 AND seq = ?2", device, seq);
      queue.bySequence.delete(seq);
      queue.ids.delete(queued.messageId);
      queue.bytes -= queued.bytes;
      removed++;
    }
    return removed;
  }

  /** Drops a whole queue: its device is gone. */
  drop(device: DeviceId): void {
    this.#sql.exec("DELETE FROM messages WHERE device = ?1", device);
    this.#queues.delete(device);
  }

  /** Counts again what a transaction that was rolled back, or a table that is gone, has changed. */
  forget(): void {
    this.#queues.clear();
  }

  /** Drops what is older than 30 days. */
  expire(device: DeviceId, nowMilliseconds: number): void {
    const bound = expiryBound(nowMilliseconds);
    const expired = [...this.#load(device).bySequence.keys()].filter((seq) => seq < bound);
    this.remove(device, expired);
  }

  get isEmpty(): boolean {
    return [...this.#sql.exec("SELECT 1 FROM messages WHERE length(body) > 0 LIMIT 1")].length === 0;
  }

  #load(device: DeviceId): DeviceQueue {
    const known = this.#queues.get(device);
    if (known !== undefined) return known;
    const queue: DeviceQueue = { bySequence: new Map(), ids: new Set(), bytes: 0, last: 0, isLastEmptied: false };
    const rows = this.#sql.exec<{ seq: number; id: ArrayBuffer; size: number }>(
      "SELECT seq, substr(body, 1, 16) AS id, length(body) - 16 AS size FROM messages WHERE device = ?1 ORDER BY seq",
      device,
    );
    for (const { seq, id, size } of rows) {
      if (size < 0) {
        queue.last = seq;
        queue.isLastEmptied = true;
      } else note(queue, seq, parseMessageId(uuidFromBytes(new Uint8Array(id))), size);
    }
    this.#queues.set(device, queue);
    return queue;
  }
}

function note(queue: DeviceQueue, seq: number, messageId: MessageId, bytes: number): void {
  queue.bySequence.set(seq, { messageId, bytes });
  queue.ids.add(messageId);
  queue.bytes += bytes;
  queue.last = seq;
  queue.isLastEmptied = false;
}
