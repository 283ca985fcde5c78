// The Double Ratchet (signal.org/docs/specifications/doubleratchet) joined with the sparse post-quantum ratchet.
// Knows chains and keys; knows neither who the two sides are nor what a message looks like on the wire.

import { agree, generateKeyPair, hkdf, type KeyPair, LABELS, type PublicKey, type Random, type Secret } from "#crypto";
import { type Bytes, copy, MAX_RECEIVER_CHAINS, ProtocolError } from "#wire";
import type { Attempt } from "./attempt.ts";
import { type ChainKey, type MessageKeys, type ReceivedChain, seedAt, sessionMessageKeys, stepChain } from "./chain.ts";
import { hasReceivedKey, initSpqr, spqrReceive, spqrSecrets, spqrSend, type SpqrState } from "./pq/spqr.ts";

export interface SendingChain {
  /** Our current ratchet key pair; its public half stands in every message of the chain. */
  readonly ratchet: KeyPair;
  readonly chain: ChainKey;
}

export interface ReceivingChain extends ReceivedChain {
  readonly ratchetKey: PublicKey;
  /**
   * Whether messages without a post-quantum key may come on this chain: it was begun by one, before any message with a
   * key was received. Only the oldest peers do so, until they hear from us. On every other chain a missing key is a refusal, or
   * whoever broke the classical ratchet alone could leave the other out.
   */
  readonly keyless: boolean;
}

export interface Ratchet {
  readonly rootKey: Secret;
  readonly sending: SendingChain;
  /** Newest first, at most 5. Older chains stay, so that late messages open. */
  readonly receiving: readonly ReceivingChain[];
  readonly previousCounter: number;
  readonly pq: SpqrState;
}

/** What the key agreement hands to a fresh ratchet. */
export interface InitialKeys {
  readonly rootKey: Secret;
  readonly chainKey: Secret;
  /** Authenticates the post-quantum ratchet. */
  readonly pqAuthKey: Secret;
}

/** The initiator starts with a ratchet step against the responder's signed prekey. */
export function startAsInitiator(keys: InitialKeys, theirRatchetKey: PublicKey, attempt: Attempt, random: Random): Ratchet {
  const ratchet = generateKeyPair(random);
  attempt.keep(ratchet.privateKey);
  const { rootKey, chainKey } = stepRoot(keys.rootKey, ratchet, theirRatchetKey, attempt);
  return {
    rootKey,
    sending: { ratchet, chain: { key: chainKey, index: 0 } },
    receiving: [{ ratchetKey: theirRatchetKey, chain: { key: keys.chainKey, index: 0 }, skipped: undefined, keyless: false }],
    previousCounter: 0,
    pq: initSpqr(keys.pqAuthKey.expose(), "a2b", attempt),
  };
}

/**
 * The responder's signed prekey is its first ratchet key: as a copy, because a session spends its ratchet keys
 * and the prekey still serves others.
 */
export function startAsResponder(keys: InitialKeys, signedPreKey: KeyPair, attempt: Attempt): Ratchet {
  const ratchet: KeyPair = { privateKey: attempt.make(copy(signedPreKey.privateKey.expose())), publicKey: signedPreKey.publicKey };
  return {
    rootKey: keys.rootKey,
    sending: { ratchet, chain: { key: keys.chainKey, index: 0 } },
    receiving: [],
    previousCounter: 0,
    pq: initSpqr(keys.pqAuthKey.expose(), "b2a", attempt),
  };
}

export interface RatchetHeader {
  readonly ratchetKey: PublicKey;
  readonly counter: number;
  readonly previousCounter: number;
  /** Message of the post-quantum ratchet; empty when there is none. */
  readonly pqMessage: Bytes;
}

export interface RatchetStep<Extra> {
  readonly ratchet: Ratchet;
  readonly keys: MessageKeys;
  readonly extra: Extra;
}

/** The next sending keys and the header that lets the other side derive them. */
export function ratchetSend(ratchet: Ratchet, attempt: Attempt, random: Random): RatchetStep<RatchetHeader> {
  const { sending } = ratchet;
  const pq = spqrSend(ratchet.pq, attempt, random);
  attempt.spend(pq.key);
  const { seed, next } = stepChain(sending.chain, attempt);
  attempt.spend(seed);
  return {
    ratchet: { ...ratchet, sending: { ...sending, chain: next }, pq: pq.state },
    keys: sessionMessageKeys(seed, pq.key),
    extra: {
      ratchetKey: sending.ratchet.publicKey,
      counter: sending.chain.index,
      previousCounter: ratchet.previousCounter,
      pqMessage: pq.message,
    },
  };
}

/**
 * The keys for a received header. The ratchet returned is a proposal: it may be committed only after the message
 * authenticated under those keys (`confirmReceive` then finishes a Diffie-Hellman step, if this was one).
 * @throws ProtocolError `duplicate`, `too-far-ahead`, `bad-key-agreement`; anything the post-quantum ratchet refuses.
 */
export function ratchetReceive(ratchet: Ratchet, header: RatchetHeader, attempt: Attempt): RatchetStep<PendingReceive> {
  const position = ratchet.receiving.findIndex((chain) => chain.ratchetKey.equals(header.ratchetKey));
  const known = ratchet.receiving[position];
  const opened = known === undefined ? openChain(ratchet, header.ratchetKey, attempt) : { rootKey: ratchet.rootKey, chain: known };
  const { seed, next } = seedAt(opened.chain, header.counter, attempt);
  attempt.spend(seed);
  const pq = spqrReceive(ratchet.pq, header.pqMessage, attempt);
  const keyless = known === undefined ? pq.key === undefined && !hasReceivedKey(ratchet.pq) : known.keyless;
  if (pq.key === undefined && !keyless) throw new ProtocolError("bad-state");
  if (pq.key !== undefined) attempt.spend(pq.key);
  const chain: ReceivingChain = { ...next, ratchetKey: header.ratchetKey, keyless };
  return {
    ratchet: { ...ratchet, rootKey: opened.rootKey, receiving: replaceChain(ratchet.receiving, position, chain, attempt), pq: pq.state },
    keys: sessionMessageKeys(seed, pq.key),
    extra: { newRatchetKey: known === undefined ? header.ratchetKey : undefined },
  };
}

export interface PendingReceive {
  /** The other side's ratchet key when the message began a new chain. */
  readonly newRatchetKey: PublicKey | undefined;
}

/** After authentication: answers a new ratchet key of theirs with a new one of ours (Double Ratchet section 3.5). */
export function confirmReceive(ratchet: Ratchet, pending: PendingReceive, attempt: Attempt, random: Random): Ratchet {
  if (pending.newRatchetKey === undefined) return ratchet;
  const fresh = generateKeyPair(random);
  attempt.keep(fresh.privateKey);
  const { rootKey, chainKey } = stepRoot(ratchet.rootKey, fresh, pending.newRatchetKey, attempt);
  attempt.spend(ratchet.sending.chain.key, ratchet.sending.ratchet.privateKey);
  return {
    ...ratchet,
    rootKey,
    sending: { ratchet: fresh, chain: { key: chainKey, index: 0 } },
    // As deployed: one less than the number of messages sent. Written for the other side, which like us does not use it.
    previousCounter: Math.max(0, ratchet.sending.chain.index - 1),
  };
}

function openChain(ratchet: Ratchet, ratchetKey: PublicKey, attempt: Attempt): { readonly rootKey: Secret; readonly chain: ReceivedChain } {
  const { rootKey, chainKey } = stepRoot(ratchet.rootKey, ratchet.sending.ratchet, ratchetKey, attempt);
  return { rootKey, chain: { chain: { key: chainKey, index: 0 }, skipped: undefined } };
}

/** KDF_RK (Double Ratchet section 5.2). Spends the old root key. */
function stepRoot(
  rootKey: Secret,
  ours: KeyPair,
  theirs: PublicKey,
  attempt: Attempt,
): { readonly rootKey: Secret; readonly chainKey: Secret } {
  const shared = agree(ours.privateKey, theirs);
  const okm = hkdf({ salt: rootKey.expose(), inputKey: shared, info: LABELS.RATCHET_INFO, length: 64 });
  shared.fill(0);
  attempt.spend(rootKey);
  const derived = { rootKey: attempt.make(okm.slice(0, 32)), chainKey: attempt.make(okm.slice(32)) };
  okm.fill(0);
  return derived;
}

function replaceChain(
  chains: readonly ReceivingChain[],
  position: number,
  chain: ReceivingChain,
  attempt: Attempt,
): readonly ReceivingChain[] {
  if (position >= 0) return chains.with(position, chain);
  for (const dropped of chains.slice(MAX_RECEIVER_CHAINS - 1)) {
    attempt.spend(dropped.chain.key, ...(dropped.skipped === undefined ? [] : [dropped.skipped]));
  }
  return [chain, ...chains.slice(0, MAX_RECEIVER_CHAINS - 1)];
}

/** Every secret of a ratchet, for wiping one that is dropped whole. */
export function ratchetSecrets(ratchet: Ratchet): readonly Secret[] {
  const chains = ratchet.receiving.flatMap(({ chain, skipped }) => (skipped === undefined ? [chain.key] : [chain.key, skipped]));
  return [ratchet.rootKey, ratchet.sending.ratchet.privateKey, ratchet.sending.chain.key, ...chains, ...spqrSecrets(ratchet.pq)];
}
