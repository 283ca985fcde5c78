// From the queue to the socket: in order, as much as the window holds, until all is acknowledged. Decides nothing about
// who may be written to.

import { type Bytes, decodeEnvelope, type DeviceId, EPHEMERAL_GUID } from "#wire";
import { acceptedAt, type Attempts, countAttempt, fitsWindow, type QueueSize } from "../core.ts";
import type { AttemptLog } from "../attempts.ts";
import type { MessageQueue } from "../queue.ts";
import { type Progress, sendFrame, type Sockets } from "./sockets.ts";

export class Delivery {
  readonly #sockets: Sockets;
  readonly #queue: MessageQueue;
  readonly #attempts: AttemptLog;

  constructor(sockets: Sockets, queue: MessageQueue, attempts: AttemptLog) {
    this.#sockets = sockets;
    this.#queue = queue;
    this.#attempts = attempts;
  }

  open(socket: WebSocket, deviceId: DeviceId, nowMilliseconds: number): void {
    const queued = [...this.#queue.numbers(deviceId)];
    if (queued.length > 0) this.#attempts.write(deviceId, countAttempt(this.#attempts.read(deviceId), queued));
    const backlog = queued.at(-1) ?? 0;
    this.#sockets.open(socket, { deviceId, openedMilliseconds: nowMilliseconds, sent: 0, backlog, sentParked: false });
    this.#fill(socket);
  }

  /** Sends what there is and what fits. */
  push(deviceId: DeviceId, nowMilliseconds: number): void {
    const socket = this.#sockets.of(deviceId, nowMilliseconds);
    if (socket !== undefined) this.#fill(socket);
  }

  /** Deletes what the device has stored, and goes on. True when that was anything. */
  acknowledge(socket: WebSocket, guids: readonly number[]): boolean {
    const { deviceId } = this.#sockets.progress(socket);
    const removed = this.#queue.remove(deviceId, guids);
    if (removed > 0) this.#fill(socket);
    return removed > 0;
  }

  /** Now or never: true when there was a socket. */
  pass(deviceId: DeviceId, envelope: Bytes, nowMilliseconds: number): boolean {
    const socket = this.#sockets.of(deviceId, nowMilliseconds);
    if (socket === undefined) return false;
    // A device that lags behind with what is kept has no use for what is not.
    const { parked } = this.#attempts.read(deviceId);
    if (!fitsWindow(this.#unacknowledged(this.#sockets.progress(socket), parked), envelope.length)) return false;
    sendFrame(socket, {
      kind: "deliver",
      guid: EPHEMERAL_GUID,
      envelope: decodeEnvelope(envelope),
      serverTimestamp: nowMilliseconds,
    });
    return true;
  }

  #fill(socket: WebSocket): void {
    const before = this.#sockets.progress(socket);
    const attempts = this.#attempts.read(before.deviceId);
    const filled = this.#sendParked(socket, this.#sendInOrder(socket, before, attempts), attempts);
    const after = this.#sayEmpty(socket, filled, attempts);
    if (after !== before) this.#sockets.advance(socket, after);
  }

  #sendInOrder(socket: WebSocket, progress: Progress, { parked }: Attempts): Progress {
    const { deviceId } = progress;
    let { sent } = progress;
    // Nothing new is the usual case after an acknowledgement, and needs no query.
    if (sent >= this.#queue.last(deviceId)) return progress;
    let { messages, bytes } = this.#unacknowledged(progress, parked);
    for (const { seq, envelope } of this.#queue.after(deviceId, sent)) {
      if (parked.includes(seq)) continue;
      if (!fitsWindow({ messages, bytes }, envelope.length)) break;
      deliver(socket, seq, envelope);
      messages++;
      bytes += envelope.length;
      sent = seq;
    }
    return sent === progress.sent ? progress : { ...progress, sent };
  }

  /** Behind all others, once a socket: a device that breaks on one of these has the others by then. */
  #sendParked(socket: WebSocket, progress: Progress, { parked }: Attempts): Progress {
    const { deviceId, sentParked } = progress;
    if (sentParked || parked.length === 0 || !this.#allAcknowledged(deviceId, this.#queue.last(deviceId), parked)) return progress;
    for (const seq of parked) {
      const envelope = this.#queue.envelope(deviceId, seq);
      if (envelope !== undefined) deliver(socket, seq, envelope);
    }
    return { ...progress, sentParked: true };
  }

  #sayEmpty(socket: WebSocket, progress: Progress, { parked }: Attempts): Progress {
    if (progress.backlog === undefined || !this.#allAcknowledged(progress.deviceId, progress.backlog, parked)) return progress;
    sendFrame(socket, { kind: "queue-empty" });
    return { ...progress, backlog: undefined };
  }

  #allAcknowledged(deviceId: DeviceId, upTo: number, parked: readonly number[]): boolean {
    for (const seq of this.#queue.numbers(deviceId)) {
      if (seq > upTo) return true;
      if (!parked.includes(seq)) return false;
    }
    return true;
  }

  #unacknowledged({ deviceId, sent }: Progress, parked: readonly number[]): QueueSize {
    let messages = 0;
    let bytes = 0;
    for (const seq of this.#queue.numbers(deviceId)) {
      if (seq > sent) break;
      if (parked.includes(seq)) continue;
      messages++;
      bytes += this.#queue.bytesOf(deviceId, seq);
    }
    return { messages, bytes };
  }
}

function deliver(socket: WebSocket, seq: number, envelope: Bytes): void {
  sendFrame(socket, { kind: "deliver", guid: seq, envelope: decodeEnvelope(envelope), serverTimestamp: acceptedAt(seq) });
}
