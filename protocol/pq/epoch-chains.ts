// Key chains of the post-quantum ratchet: every epoch has one chain a direction, and each message takes one key.
// Old epochs are dropped as the sending side moves on, which is what makes their keys unrecoverable.

import { hkdf, LABELS, type Secret } from "#crypto";
import { be32, type Bytes, concat, EMPTY, InvariantError, MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS, ProtocolError } from "#wire";
import type { Attempt } from "../attempt.ts";
import { addSkipped, dropSkippedBefore, type SkippedSeeds, takeSkipped } from "../skipped.ts";

/** A to B is the direction of the session's initiator. */
export type Direction = "a2b" | "b2a";

export interface EpochChain {
  readonly key: Secret;
  /** Index of the last message; the first is 1. */
  readonly index: number;
}

export interface Epoch {
  /** `undefined` once a later epoch was sent under. */
  readonly send: EpochChain | undefined;
  readonly receive: EpochChain;
  readonly skipped: SkippedSeeds;
}

export interface EpochChains {
  readonly direction: Direction;
  readonly nextRoot: Secret;
  /** Number of the first epoch in `epochs`; the others follow without a gap. */
  readonly firstEpoch: number;
  readonly epochs: readonly Epoch[];
  readonly sendEpoch: number;
}

/** How many epochs before the one we send under may still be received. */
const EPOCHS_KEPT_BEFORE = 1;
const KEY_BYTES = 32;

export function startEpochChains(authKey: Bytes, direction: Direction, attempt: Attempt): EpochChains {
  const { nextRoot, epoch } = deriveEpoch(EMPTY, authKey, LABELS.PQ_CHAIN_START, direction, attempt);
  return { direction, nextRoot, firstEpoch: 0, epochs: [epoch], sendEpoch: 0 };
}

/** Takes in the secret that the braid agreed on for the epoch after the last. */
export function addEpoch(chains: EpochChains, secret: Bytes, attempt: Attempt): EpochChains {
  const { nextRoot, epoch } = deriveEpoch(chains.nextRoot.expose(), secret, LABELS.PQ_CHAIN_ADD_EPOCH, chains.direction, attempt);
  attempt.spend(chains.nextRoot);
  return { ...chains, nextRoot, epochs: [...chains.epochs, epoch] };
}

export interface TakenKey {
  readonly chains: EpochChains;
  readonly index: number;
  readonly key: Secret;
}

/** The next sending key of `epoch`. Moving to a later epoch erases what is no longer needed. */
export function takeSendKey(chains: EpochChains, epoch: number, attempt: Attempt): TakenKey {
  const moved = epoch > chains.sendEpoch ? moveSendEpoch(chains, epoch, attempt) : chains;
  const position = epoch - moved.firstEpoch;
  const current = moved.epochs[position];
  if (current?.send === undefined) throw new InvariantError("INV-11", "the epoch that is sent under was dropped");
  const { chain, key } = step(current.send, attempt);
  return { chains: { ...moved, epochs: moved.epochs.with(position, { ...current, send: chain }) }, index: chain.index, key };
}

/**
 * The key of message `index` of `epoch`, wherever the chain stands. What was jumped over is kept for later, up to 2,000
 * indexes back.
 * @throws ProtocolError `duplicate` for a key used or dropped, `too-far-ahead` before any is derived.
 */
export function takeReceiveKey(chains: EpochChains, epoch: number, index: number, attempt: Attempt): TakenKey {
  const position = epoch - chains.firstEpoch;
  const current = chains.epochs[position];
  if (current === undefined) throw new ProtocolError(position < 0 ? "duplicate" : "too-far-ahead");
  const { next, key } = index <= current.receive.index ? takeKept(current, index, attempt) : jumpTo(current, index, attempt);
  return { chains: { ...chains, epochs: chains.epochs.with(position, next) }, index, key };
}

interface TakenFromEpoch {
  readonly next: Epoch;
  readonly key: Secret;
}

function takeKept(current: Epoch, index: number, attempt: Attempt): TakenFromEpoch {
  const taken = takeSkipped(current.skipped, index, attempt);
  if (taken === undefined) throw new ProtocolError("duplicate");
  return { next: { ...current, skipped: taken.rest }, key: taken.seed };
}

function jumpTo(current: Epoch, index: number, attempt: Attempt): TakenFromEpoch {
  const { receive } = current;
  if (index - receive.index > MAX_FORWARD_JUMP) throw new ProtocolError("too-far-ahead");
  // A jump can be 25,000 long, so what is only stepped through stays plain bytes and is overwritten on the way.
  const jumped: Bytes[] = [];
  let chainKey = receive.key.expose();
  for (let at = receive.index + 1; at < index; at++) {
    const stepped = deriveStep(chainKey, at);
    if (at > receive.index + 1) chainKey.fill(0);
    chainKey = stepped.slice(0, KEY_BYTES);
    if (index - at <= MAX_SKIPPED_KEYS) jumped.push(stepped.slice(KEY_BYTES));
    stepped.fill(0);
  }
  const reached = index === receive.index + 1 ? receive : { key: attempt.make(chainKey), index: index - 1 };
  if (reached !== receive) attempt.spend(receive.key);
  const { chain, key } = step(reached, attempt);
  const kept = dropSkippedBefore(current.skipped, index - MAX_SKIPPED_KEYS, attempt);
  const skipped = addSkipped(kept, index - jumped.length, jumped, attempt);
  for (const jumpedKey of jumped) jumpedKey.fill(0);
  return { next: { ...current, receive: chain, skipped }, key };
}

export function epochSecrets({ send, receive, skipped }: Epoch): readonly Secret[] {
  return [send?.key, receive.key, skipped].filter((secret) => secret !== undefined);
}

function moveSendEpoch(chains: EpochChains, epoch: number, attempt: Attempt): EpochChains {
  const firstKept = Math.max(chains.firstEpoch, epoch - EPOCHS_KEPT_BEFORE);
  const dropped = chains.epochs.slice(0, firstKept - chains.firstEpoch);
  attempt.spend(...dropped.flatMap(epochSecrets));
  const epochs = chains.epochs.slice(dropped.length).map((kept, position) => {
    if (firstKept + position >= epoch || kept.send === undefined) return kept;
    attempt.spend(kept.send.key);
    return { ...kept, send: undefined };
  });
  return { ...chains, firstEpoch: firstKept, epochs, sendEpoch: epoch };
}

function step(chain: EpochChain, attempt: Attempt): { readonly chain: EpochChain; readonly key: Secret } {
  const index = chain.index + 1;
  const stepped = deriveStep(chain.key.expose(), index);
  attempt.spend(chain.key);
  const next = { chain: { key: attempt.make(stepped.slice(0, KEY_BYTES)), index }, key: attempt.make(stepped.slice(KEY_BYTES)) };
  stepped.fill(0);
  return next;
}

/** The chain key behind message `index`, then the key of that message. */
function deriveStep(chainKey: Bytes, index: number): Bytes {
  return hkdf({ salt: EMPTY, inputKey: chainKey, info: concat(be32(index), LABELS.PQ_CHAIN_NEXT), length: 2 * KEY_BYTES });
}

function deriveEpoch(
  salt: Bytes,
  secret: Bytes,
  info: Bytes,
  direction: Direction,
  attempt: Attempt,
): { readonly nextRoot: Secret; readonly epoch: Epoch } {
  const okm = hkdf({ salt, inputKey: secret, info, length: 96 });
  const nextRoot = attempt.make(okm.slice(0, 32));
  const a2b: EpochChain = { key: attempt.make(okm.slice(32, 64)), index: 0 };
  const b2a: EpochChain = { key: attempt.make(okm.slice(64)), index: 0 };
  okm.fill(0);
  const [send, receive] = direction === "a2b" ? [a2b, b2a] : [b2a, a2b];
  return { nextRoot, epoch: { send, receive, skipped: undefined } };
}
