// How rough a run is for its clients, besides what the platform decides about network and server.

import type { Client } from "../../client/api.ts";
import type { Clock, Network, Store } from "../../client/ports.ts";

/** Probabilities from 0 to 1, and times in milliseconds. */
export interface Storm {
  /** At each call of a port. */
  crashClient: number;
  /** How long somebody is away at most. */
  absence: number;
  acceptAtOnce: number;
  /** At each step of the maker's in a group. */
  removal: number;
}

export type CreateClient = (options: {
  readonly server: string;
  readonly store: Store;
  readonly network: Network;
  readonly clock: Clock;
}) => Promise<Client>;
