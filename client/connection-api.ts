// What the rest of the client sees of the connection: its state, and what comes in over it. The connection knows frames
// and time; what is in an envelope, and what must be stored before it is acknowledged, its handler knows.

import type { Deliver, PreKeysLow, SendEphemeral } from "#wire";

/**
 * offline: no network, or nobody wants one · connecting · catching-up: what waited is coming in · live: everything that
 * waited is here, and what comes next comes at once.
 */
export type ConnectionStatus = "offline" | "connecting" | "catching-up" | "live";

export interface ConnectionHandler {
  /**
   * Envelopes in the order in which the server sent them, never more than one call at a time. Resolves to the guids that
   * are safe to acknowledge: those whose content is durable here. The others come again over a later socket.
   */
  deliver(deliveries: readonly Deliver[]): Promise<readonly number[]>;
  /** Hints: nothing is lost when one is. */
  preKeysLow(frame: PreKeysLow): void;
  /**
   * Everything that waited was delivered and acknowledged. The connection is live when this has resolved; what it rejects with ends it,
   * as with `deliver`.
   */
  caughtUp(): Promise<void>;
  /** Every change, in order. */
  status(status: ConnectionStatus): void;
  /** The connection has ended for good: `device-removed`, `own-account-deleted`, `replaced-elsewhere`, `storage-…` from `deliver`. */
  failed(error: unknown): void;
}

export interface Connection {
  readonly status: ConnectionStatus;
  /** Begins to connect and goes on after every loss, until `close`. */
  open(): void;
  /** Waits for the handler to finish with what it has, acknowledges that, and closes. */
  close(): Promise<void>;
  /** Delivered now or dropped. `false` when there is no socket to send it on. */
  sendEphemeral(message: Omit<SendEphemeral, "kind" | "extensions">): boolean;
}
