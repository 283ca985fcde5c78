// Symmetric-key chains (Double Ratchet section 2.2) and the keys of one message. Session chains and sender-key
// chains step alike; only the derivation of message keys differs.

import { hkdf, hmac, LABELS, type Secret } from "#crypto";
import { type Bytes, EMPTY, MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS, ProtocolError } from "#wire";
import type { Attempt } from "./attempt.ts";
import { addSkipped, type SkippedSeeds, takeSkipped } from "./skipped.ts";

export interface ChainKey {
  readonly key: Secret;
  /** Index of the next message. */
  readonly index: number;
}

const MAX_INDEX = 0xffff_ffff;
const SEED_CONSTANT: Bytes = new Uint8Array([1]);
const CHAIN_CONSTANT: Bytes = new Uint8Array([2]);

/** The seed of the next message and the chain behind it. */
export function stepChain(chain: ChainKey, attempt: Attempt): { readonly seed: Secret; readonly next: ChainKey } {
  // The last 32-bit number has no successor that could be stored.
  if (chain.index >= MAX_INDEX) throw new ProtocolError("over-limit");
  const key = chain.key.expose();
  attempt.spend(chain.key);
  return {
    seed: attempt.make(hmac(key, SEED_CONSTANT)),
    next: { key: attempt.make(hmac(key, CHAIN_CONSTANT)), index: chain.index + 1 },
  };
}

/** A chain on the receiving side: where it stands, and what it jumped over. */
export interface ReceivedChain {
  readonly chain: ChainKey;
  readonly skipped: SkippedSeeds;
}

/**
 * The seed of message `index`, wherever the chain stands.
 * @throws ProtocolError `duplicate` if that message was opened or its seed dropped; `too-far-ahead` before any key
 * is derived if it lies more than 25,000 ahead.
 */
export function seedAt(received: ReceivedChain, index: number, attempt: Attempt): { readonly seed: Secret; readonly next: ReceivedChain } {
  const { chain, skipped } = received;
  if (index < chain.index) {
    const taken = takeSkipped(skipped, index, attempt);
    if (taken === undefined) throw new ProtocolError("duplicate");
    return { seed: taken.seed, next: { chain, skipped: taken.rest } };
  }
  if (index - chain.index > MAX_FORWARD_JUMP) throw new ProtocolError("too-far-ahead");
  const jumped: Bytes[] = [];
  let key = chain.key.expose();
  for (let i = chain.index; i < index; i++) {
    if (index - i <= MAX_SKIPPED_KEYS) jumped.push(hmac(key, SEED_CONSTANT));
    const next = hmac(key, CHAIN_CONSTANT);
    if (i > chain.index) key.fill(0);
    key = next;
  }
  const reached: ChainKey = index === chain.index ? chain : { key: attempt.make(key), index };
  if (reached !== chain) attempt.spend(chain.key);
  const stepped = stepChain(reached, attempt);
  const kept = addSkipped(skipped, index - jumped.length, jumped, attempt);
  for (const seed of jumped) seed.fill(0);
  return { seed: stepped.seed, next: { chain: stepped.next, skipped: kept } };
}

/** The keys of one message: used once and wiped. */
export interface MessageKeys {
  readonly cipherKey: Bytes;
  readonly macKey: Bytes;
  readonly iv: Bytes;
}

/**
 * Keys of a session message; the key of the post-quantum ratchet is the salt (Triple Ratchet), so that an
 * attacker must break both ratchets.
 */
export function sessionMessageKeys(seed: Secret, pqKey: Secret | undefined): MessageKeys {
  const okm = hkdf({ salt: pqKey?.expose() ?? EMPTY, inputKey: seed.expose(), info: LABELS.MESSAGE_KEYS_INFO, length: 80 });
  return { cipherKey: okm.subarray(0, 32), macKey: okm.subarray(32, 64), iv: okm.subarray(64) };
}

/** Keys of a sender-key message, where the IV comes first and a signature stands in for the MAC. */
export function senderMessageKeys(seed: Secret): { readonly cipherKey: Bytes; readonly iv: Bytes } {
  const okm = hkdf({ salt: EMPTY, inputKey: seed.expose(), info: LABELS.SENDER_MESSAGE_KEYS_INFO, length: 48 });
  return { iv: okm.subarray(0, 16), cipherKey: okm.subarray(16) };
}

/** Overwrites keys that were used; both views share one buffer with their siblings. */
export function wipeKeys(keys: { readonly cipherKey: Bytes; readonly iv: Bytes; readonly macKey?: Bytes }): void {
  keys.cipherKey.fill(0);
  keys.iv.fill(0);
  keys.macKey?.fill(0);
}
