// Sender keys: one chain per sending device and group, so that a group message is encrypted once. The chain key
// reaches the members through their sessions as a distribution message; each message is signed, because everyone
// who can read could otherwise also write in the sender's name.
//
// Knows one sender in one distribution. Which members get the key, and when it rotates, is decided above.

import {
  cbcDecrypt,
  cbcEncrypt,
  generateSigningKeyPair,
  parseIdentityKey,
  type PublicKey,
  type Random,
  type Secret,
  signWithSeed,
  verify,
} from "#crypto";
import {
  type Bytes,
  concat,
  copy,
  decodeSenderKeyDistributionMessage,
  decodeSenderKeyMessage,
  type DistributionId,
  encodeSenderKeyDistributionMessage,
  encodeSenderKeyMessage,
  MAX_SENDER_KEY_STATES,
  ProtocolError,
} from "#wire";
import { type Attempt, attempt, type Outcome } from "./attempt.ts";
import { type ReceivedChain, seedAt, senderMessageKeys, stepChain, wipeKeys } from "./chain.ts";

export interface SenderKeyState {
  /** 31 random bits: tells the chains of one sender apart. */
  readonly chainId: number;
  readonly signingKey: PublicKey;
  /** The Ed25519 seed of the signing key; only in our own states. */
  readonly signingSeed: Secret | undefined;
  readonly received: ReceivedChain;
}

/** The states of one sender in one distribution, newest first, at most 5. The first is the one that sends. */
export type SenderKeyRecord = readonly SenderKeyState[];

export const NO_SENDER_KEY: SenderKeyRecord = [];

/** A new chain of our own in front of the record: the first, or the one after a rotation. Output: what members need. */
export function createSenderKey(record: SenderKeyRecord, distributionId: DistributionId, random: Random): Outcome<SenderKeyRecord, Bytes> {
  return attempt((attempt) => {
    const signing = generateSigningKeyPair(random);
    const fresh: SenderKeyState = {
      chainId: randomChainId(random),
      signingKey: signing.publicKey,
      signingSeed: attempt.keep(signing.seed),
      received: { chain: { key: attempt.make(random(32)), index: 0 }, skipped: undefined },
    };
    return { state: putFirst(record, fresh, attempt), output: distribution(fresh, distributionId) };
  });
}

/** The distribution message for someone who joins now: it opens nothing from before. Refuses: `no-sender-key`. */
export function distributeSenderKey(record: SenderKeyRecord, distributionId: DistributionId): Outcome<SenderKeyRecord, Bytes> {
  return attempt(() => ({ state: record, output: distribution(requireOwn(record), distributionId) }));
}

/**
 * Learns a sender's chain from a distribution message, which must have come through a session with that sender.
 * The same chain again changes nothing but its place; the same id with another signing key replaces it.
 */
export function learnSenderKey(record: SenderKeyRecord, bytes: Bytes): Outcome<SenderKeyRecord, DistributionId> {
  return attempt((attempt) => {
    const message = decodeSenderKeyDistributionMessage(bytes);
    const signingKey = parseIdentityKey(message.signingKey);
    const known = record.find((state) => state.chainId === message.chainId);
    const keep = known !== undefined && known.signingKey.equals(signingKey);
    if (known !== undefined && !keep) attempt.spend(...stateSecrets(known));
    const state: SenderKeyState = keep
      ? known
      : {
          chainId: message.chainId,
          signingKey,
          signingSeed: undefined,
          received: { chain: { key: attempt.make(copy(message.chainKey)), index: message.iteration }, skipped: undefined },
        };
    const others = record.filter((other) => other !== known);
    return { state: putFirst(others, state, attempt), output: message.distributionId };
  });
}

/** Seals one message for everyone who has the chain. Refuses: `no-sender-key`. */
export function sealForGroup(record: SenderKeyRecord, distributionId: DistributionId, plaintext: Bytes): Outcome<SenderKeyRecord, Bytes> {
  return attempt((attempt) => {
    const own = requireOwn(record);
    const { seed, next } = stepChain(own.received.chain, attempt);
    attempt.spend(seed);
    const keys = senderMessageKeys(seed);
    const signed = encodeSenderKeyMessage({
      distributionId,
      chainId: own.chainId,
      iteration: own.received.chain.index,
      ciphertext: cbcEncrypt(keys.cipherKey, keys.iv, plaintext),
    });
    wipeKeys(keys);
    const bytes = concat(signed, signWithSeed(own.signingSeed, signed));
    return { state: record.with(0, { ...own, received: { ...own.received, chain: next } }), output: bytes };
  });
}

/** Which distribution a message belongs to, for finding the record. @throws WireError */
export function distributionOf(bytes: Bytes): DistributionId {
  return decodeSenderKeyMessage(bytes).distributionId;
}

/** Refuses: `no-sender-key`, `bad-signature` (before any key is derived), `duplicate`, `too-far-ahead`, `bad-padding`. */
export function openFromGroup(record: SenderKeyRecord, bytes: Bytes): Outcome<SenderKeyRecord, Bytes> {
  return attempt((attempt) => {
    const message = decodeSenderKeyMessage(bytes);
    const position = record.findIndex((state) => state.chainId === message.chainId);
    const state = record[position];
    if (state === undefined) throw new ProtocolError("no-sender-key");
    if (!verify(state.signingKey, message.signed, message.signature)) throw new ProtocolError("bad-signature");
    const { seed, next } = seedAt(state.received, message.iteration, attempt);
    attempt.spend(seed);
    const keys = senderMessageKeys(seed);
    try {
      const plaintext = cbcDecrypt(keys.cipherKey, keys.iv, message.ciphertext);
      return { state: record.with(position, { ...state, received: next }), output: plaintext };
    } finally {
      wipeKeys(keys);
    }
  });
}

function requireOwn(record: SenderKeyRecord): SenderKeyState & { readonly signingSeed: Secret } {
  const own = record[0];
  if (own === undefined || own.signingSeed === undefined) throw new ProtocolError("no-sender-key");
  return { ...own, signingSeed: own.signingSeed };
}

function distribution(state: SenderKeyState, distributionId: DistributionId): Bytes {
  return encodeSenderKeyDistributionMessage({
    distributionId,
    chainId: state.chainId,
    iteration: state.received.chain.index,
    chainKey: state.received.chain.key.expose(),
    signingKey: state.signingKey.encode(),
  });
}

function putFirst(record: SenderKeyRecord, state: SenderKeyState, attempt: Attempt): SenderKeyRecord {
  for (const dropped of record.slice(MAX_SENDER_KEY_STATES - 1)) attempt.spend(...stateSecrets(dropped));
  return [state, ...record.slice(0, MAX_SENDER_KEY_STATES - 1)];
}

function stateSecrets(state: SenderKeyState): readonly Secret[] {
  const { chain, skipped } = state.received;
  return [chain.key, skipped, state.signingSeed].filter((secret) => secret !== undefined);
}

function randomChainId(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
}
