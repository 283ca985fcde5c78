// The sockets of a mailbox: hibernating ones, at most one a device. What must outlive the object's memory is in the
// socket's attachment, which costs no row. Knows no queue.

import { CLOSE, type CloseReason, type DeviceId, encodeServerFrame, parseDeviceId, type ServerFrame } from "#wire";
import { isStaleSocket } from "../core.ts";

/** How far a socket has got. */
export interface Progress {
  readonly deviceId: DeviceId;
  readonly openedMilliseconds: number;
  /** The highest number that was sent on this socket. */
  readonly sent: number;
  /** What was queued when it opened went up to here; `undefined` when all of that is acknowledged, and the client told. */
  readonly backlog: number | undefined;
  /** Whether the messages that wait behind the others were sent on this socket. */
  readonly sentParked: boolean;
}

export class Sockets {
  readonly #state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.#state = state;
    // Text, because the platform answers only text without waking the object.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** The newest socket of a device wins. */
  open(socket: WebSocket, progress: Progress): void {
    this.closeAll(progress.deviceId, CLOSE.replaced);
    this.#state.acceptWebSocket(socket, [tagOf(progress.deviceId)]);
    socket.serializeAttachment(progress);
  }

  /** The socket of a device, if somebody is behind it. One that nobody pings any more is closed. */
  of(deviceId: DeviceId, nowMilliseconds: number): WebSocket | undefined {
    const socket = this.#state.getWebSockets(tagOf(deviceId)).find(isOpen);
    if (socket === undefined) return undefined;
    const pinged = this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    const lastSign = Math.max(pinged, this.progress(socket).openedMilliseconds);
    if (!isStaleSocket(lastSign, nowMilliseconds)) return socket;
    close(socket, CLOSE.stale);
    return undefined;
  }

  /** Whose sockets are open. */
  get devices(): readonly DeviceId[] {
    return this.#state
      .getWebSockets()
      .filter(isOpen)
      .map((socket) => this.progress(socket).deviceId);
  }

  progress(socket: WebSocket): Progress {
    const progress = socket.deserializeAttachment() as Progress; // `open` and `advance` attach nothing else
    return { ...progress, deviceId: parseDeviceId(progress.deviceId) };
  }

  advance(socket: WebSocket, progress: Progress): void {
    socket.serializeAttachment(progress);
  }

  closeAll(deviceId: DeviceId | undefined, reason: CloseReason): void {
    const tagged = deviceId === undefined ? this.#state.getWebSockets() : this.#state.getWebSockets(tagOf(deviceId));
    for (const socket of tagged.filter(isOpen)) close(socket, reason);
  }
}

export function close(socket: WebSocket, { code, reason }: CloseReason): void {
  socket.close(code, reason);
}

export function sendFrame(socket: WebSocket, frame: ServerFrame["frame"]): void {
  socket.send(encodeServerFrame({ frame }));
}

function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN;
}

function tagOf(deviceId: DeviceId): string {
  return `device ${deviceId}`;
}
