// A WebSocket between a client and a Durable Object. The connection outlives the object's memory; the object's end is made
// anew each time that the object wakes. How frames travel is for the network.

import type { ObjectStorage } from "./object-storage.ts";

export type Frame = { readonly kind: "data"; readonly data: string | Uint8Array } | { readonly kind: "close"; readonly code: number };

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Who takes what the client sends. */
export interface Receiver {
  frame(connection: Connection, frame: Frame): void;
  lost(connection: Connection): void;
}

export class Connection {
  readyState = OPEN;
  tags: readonly string[] = [];
  attachment: unknown = undefined;
  /** When a ping was last answered for the object. */
  answeredAt: number | undefined;
  object: Receiver | undefined;
  #toClient: ((frame: Frame) => void) | undefined;
  #early: Frame[] = [];

  /** Frames go to the network from now on, first those that were sent before. */
  connect(toClient: (frame: Frame) => void): void {
    this.#toClient = toClient;
    for (const frame of this.#early) toClient(frame);
    this.#early = [];
  }

  toClient(frame: Frame): void {
    if (this.#toClient === undefined) this.#early.push(frame);
    else this.#toClient(frame);
  }

  /** The network brings a frame. */
  toObject(frame: Frame): void {
    if (this.readyState !== CLOSED) this.object?.frame(this, frame);
  }

  end(): void {
    this.readyState = CLOSED;
  }
}

/** What stands in a `Response` for the client's end. */
export class ClientEnd {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}

/** The object's end, as its code sees it. */
export class ObjectSocket {
  readonly connection: Connection;
  #storage: ObjectStorage | undefined;

  constructor(connection: Connection, storage?: ObjectStorage) {
    this.connection = connection;
    this.#storage = storage;
  }

  get readyState(): number {
    return this.connection.readyState;
  }

  accept(storage: ObjectStorage): void {
    this.#storage = storage;
  }

  send(data: string | Uint8Array): void {
    if (this.readyState !== OPEN) throw new TypeError("the socket is closed");
    const frame: Frame = { kind: "data", data: typeof data === "string" ? data : data.slice() };
    this.#leave(frame);
  }

  close(code: number): void {
    if (this.readyState === CLOSED) throw new TypeError("the socket is closed");
    this.connection.readyState = CLOSING;
    this.#leave({ kind: "close", code });
  }

  serializeAttachment(value: unknown): void {
    this.connection.attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.connection.attachment);
  }

  #leave(frame: Frame): void {
    if (this.#storage === undefined) throw new TypeError("nobody has accepted the socket");
    this.#storage.output(() => this.connection.toClient(frame));
  }
}

/** `new WebSocketPair()`: 0 for the client, 1 for the object. */
export class ObjectSocketPair {
  readonly 0: ClientEnd;
  readonly 1: ObjectSocket;

  constructor() {
    const connection = new Connection();
    this[0] = new ClientEnd(connection);
    this[1] = new ObjectSocket(connection);
  }
}
