// The world around the transport, in the hands of a test: a clock that goes when it is told to, a network that answers what the
// test says. Written against the ports only; runs in every runtime.

import type { Clock, HttpRequest, HttpResponse, Network, Socket, SocketEvents, SocketRequest } from "../../../client/ports.ts";
import { encodeServerFrame, type ServerFrame, toUtf8 } from "#wire";

const START_MILLISECONDS = 1_790_000_000_000;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class HandClock implements Clock {
  /** How long callers wanted to wait, in the order in which they asked. */
  readonly asked: number[] = [];
  readonly #timers = new Set<Timer>();
  #now = START_MILLISECONDS;

  nowMilliseconds(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    this.asked.push(milliseconds);
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How long until somebody who waits is called; `undefined` when nobody waits. */
  get next(): number | undefined {
    const [first] = this.#inOrder();
    return first === undefined ? undefined : first.at - this.#now;
  }

  /** Everything that is due by then happens in its order, and all that follows from it. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const [first] = this.#inOrder();
      if (first === undefined || first.at > end) break;
      this.#now = first.at;
      this.#timers.delete(first);
      first.callback();
      await settle();
    }
    this.#now = end;
  }

  #inOrder(): readonly Timer[] {
    return [...this.#timers].toSorted((a, b) => a.at - b.at);
  }
}

/** Until everything that can happen by itself has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setTimeout(resolve, 0));
}

export type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export class HandNetwork implements Network {
  readonly requests: HttpRequest[] = [];
  readonly sockets: HandSocket[] = [];
  answer: Answer;
  readonly #sleepers = new Set<() => void>();

  constructor(answer: Answer = () => Promise.reject(new TypeError("no network"))) {
    this.answer = answer;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
      Promise.resolve(request).then(this.answer).then(resolve, reject);
    });
  }

  openSocket(request: SocketRequest, events: SocketEvents): HandSocket {
    const socket = new HandSocket(request, events);
    this.sockets.push(socket);
    return socket;
  }

  onWake(listener: () => void): () => void {
    this.#sleepers.add(listener);
    return () => this.#sleepers.delete(listener);
  }

  wake(): void {
    for (const listener of this.#sleepers) listener();
  }

  /** The one that was opened last. */
  get socket(): HandSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody has opened a socket");
    return socket;
  }
}

export class HandSocket implements Socket {
  readonly request: SocketRequest;
  /** What came through: as a port says, nothing before it is open, and nothing after it is closed. */
  readonly sent: (string | Uint8Array)[] = [];
  readonly #events: SocketEvents;
  #state: "new" | "open" | "closed" = "new";

  constructor(request: SocketRequest, events: SocketEvents) {
    this.request = request;
    this.#events = events;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  send(data: Uint8Array | string): void {
    if (this.#state === "open") this.sent.push(data);
  }

  /** The other side hears of it some time, and says so by `end`. */
  close(): void {
    this.#state = "closed";
  }

  open(): void {
    this.#state = "open";
    this.#events.opened();
  }

  text(data: string): void {
    this.#events.text(data);
  }

  bytes(data: Uint8Array<ArrayBuffer>): void {
    this.#events.binary(data);
  }

  frame(frame: ServerFrame["frame"]): void {
    this.bytes(encodeServerFrame({ frame }));
  }

  end(code = 1006): void {
    this.#state = "closed";
    this.#events.closed(code);
  }
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: new Map(Object.entries(headers)), body: toUtf8(JSON.stringify(value)) };
}

export function bytes(status: number, body: Uint8Array<ArrayBuffer>): HttpResponse {
  return { status, headers: new Map(), body };
}

/** An answer that never comes. */
export function silence(): Promise<HttpResponse> {
  return new Promise(() => undefined);
}
