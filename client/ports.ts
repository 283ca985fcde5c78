// What the client needs of the world around it: a place to keep records, a network, a clock. Randomness is crypto/'s
// `Random`. Everything above these interfaces runs the same in Node, in a browser and in a simulation.

import type { Bytes } from "#wire";
import type { Secret } from "#crypto";

/**
 * An ordered map from strings to bytes, with transactions. Shared by all programs that open it: no two write transactions
 * overlap, in this process or in another. What it holds is sealed before it comes here.
 */
export interface Store {
  /** The 32-byte key that everything here is sealed with; made on first use. @throws ClientError `storage-locked`, `storage-wrong-key`. */
  unlock(): Promise<Secret>;
  /** A consistent view. Inside `work` await nothing but what the transaction returns: some stores commit as soon as they are left alone. */
  read<T>(work: (transaction: StoreReader) => Promise<T>): Promise<T>;
  /** All of it or none: durable when the promise resolves, undone when `work` rejects. The same rule for `await`. */
  write<T>(work: (transaction: StoreWriter) => Promise<T>): Promise<T>;
  /** Calls back after another program has, or may have, committed. Returns the way to stop it. */
  onForeignWrite(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface StoreReader {
  get(key: string): Promise<Bytes | undefined>;
  /** In the order of the keys' UTF-16 code units, or backwards. */
  scan(range: KeyRange): Promise<readonly StoredEntry[]>;
}

export interface StoreWriter extends StoreReader {
  put(key: string, value: Bytes): void;
  delete(key: string): void;
}

export interface KeyRange {
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface StoredEntry {
  readonly key: string;
  readonly value: Bytes;
}

export interface Network {
  /** Rejects when no answer came: that is all it means, the server may have acted all the same. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Never throws: what goes wrong is a `closed`. */
  openSocket(request: SocketRequest, events: SocketEvents): Socket;
  /** Calls back when the network or the program has come back to life: a good time to try again. Returns the way to stop it. */
  onWake(listener: () => void): () => void;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes | string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Bytes;
}

export interface SocketRequest {
  /** With `ws:` or `wss:`. */
  readonly url: string;
  readonly protocols: readonly string[];
}

export interface SocketEvents {
  opened(): void;
  text(data: string): void;
  binary(data: Bytes): void;
  /** Once, last, also when it never opened. 1006 when nobody said why (RFC 6455 section 7.1.5). */
  closed(code: number): void;
}

/** After `closed`, or before `opened`, what is sent is dropped. */
export interface Socket {
  send(data: Bytes | string): void;
  close(): void;
}

export interface Clock {
  nowMilliseconds(): number;
  /** Calls back once, later. Returns the way to prevent it. A clock may let the program end while it waits. */
  after(milliseconds: number, callback: () => void): () => void;
}
