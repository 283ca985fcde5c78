// The ML-KEM Braid: both sides exchange a fresh ML-KEM key and ciphertext every epoch, in pieces that ride on
// ordinary messages, and swap roles with each epoch. A state machine; sending and receiving are its only events.
//
// The side with the key:        keys-unsampled → keys-sampled → header-sent → ct1-received → vector-sent → (no-header)
// The side with the ciphertext: no-header → header-received → ct1-sampled → vector-received | ct1-acknowledged
//                                         → ct2-sampled → (keys-unsampled)
// What is in brackets is already the next epoch, in the other role. Knows nothing of message keys.

import {
  decapsulateHalves,
  encapsulateFirst,
  encapsulateSecond,
  equal,
  generateIncremental,
  hkdf,
  KEM_CT1_BYTES,
  KEM_CT2_BYTES,
  KEM_HEADER_BYTES,
  KEM_VECTOR_BYTES,
  LABELS,
  type Random,
  requireAnnounced,
  type Secret,
} from "#crypto";
import { be64, type Bytes, concat, EMPTY, ProtocolError } from "#wire";
import type { Attempt } from "../attempt.ts";
import { type Authenticator, BRAID_MAC_BYTES, ciphertextMac, headerMac, updateAuthenticator } from "./authenticator.ts";
import { addChunk, decodeMessage, type Decoder, type Encoder, nextChunk, startDecoder, startEncoder } from "./chunks.ts";
import type { BraidPayload } from "./message.ts";

interface Common {
  readonly epoch: number;
  readonly authenticator: Authenticator;
}

export type Braid =
  | (Common & { readonly kind: "keys-unsampled" })
  | (Common & { readonly kind: "keys-sampled"; readonly seed: Secret; readonly vector: Bytes; readonly header: Encoder })
  | (Common & { readonly kind: "header-sent"; readonly seed: Secret; readonly vector: Encoder; readonly ct1: Decoder })
  | (Common & { readonly kind: "ct1-received"; readonly seed: Secret; readonly vector: Encoder; readonly ct1: Bytes })
  | (Common & { readonly kind: "vector-sent"; readonly seed: Secret; readonly ct1: Bytes; readonly ct2: Decoder })
  | (Common & { readonly kind: "no-header"; readonly header: Decoder })
  | (Common & { readonly kind: "header-received"; readonly header: Bytes })
  | (Common & {
      readonly kind: "ct1-sampled";
      readonly header: Bytes;
      readonly coins: Secret;
      readonly ct1: Encoder;
      readonly vector: Decoder;
    })
  | (Common & {
      readonly kind: "vector-received";
      readonly header: Bytes;
      readonly coins: Secret;
      readonly ct1: Encoder;
      readonly vector: Bytes;
    })
  | (Common & {
      readonly kind: "ct1-acknowledged";
      readonly header: Bytes;
      readonly coins: Secret;
      readonly ct1: Bytes;
      readonly vector: Decoder;
    })
  | (Common & { readonly kind: "ct2-sampled"; readonly ct2: Encoder });

export const HEADER_MESSAGE_BYTES: number = KEM_HEADER_BYTES + BRAID_MAC_BYTES;
export const CT2_MESSAGE_BYTES: number = KEM_CT2_BYTES + BRAID_MAC_BYTES;

/** The initiator of the session has the first key. */
export function startBraid(role: "key" | "ciphertext", authenticator: Authenticator): Braid {
  if (role === "key") return { kind: "keys-unsampled", epoch: 1, authenticator };
  return { kind: "no-header", epoch: 1, authenticator, header: startDecoder(HEADER_MESSAGE_BYTES) };
}

export interface BraidStep {
  readonly braid: Braid;
  /** The secret of the braid's epoch, when this step agreed on it. The caller overwrites it after use. */
  readonly secret: Bytes | undefined;
}

export interface BraidSend extends BraidStep {
  readonly payload: BraidPayload;
}

export function braidSend(braid: Braid, attempt: Attempt, random: Random): BraidSend {
  switch (braid.kind) {
    case "keys-unsampled":
      return sampleKeys(braid, attempt, random);
    case "keys-sampled": {
      const { chunk, encoder } = nextChunk(braid.header);
      return { braid: { ...braid, header: encoder }, payload: { kind: "header", chunk }, secret: undefined };
    }
    case "header-sent":
    case "ct1-received": {
      const { chunk, encoder } = nextChunk(braid.vector);
      const kind = braid.kind === "header-sent" ? "vector" : "vector-ct1-ack";
      return { braid: { ...braid, vector: encoder }, payload: { kind, chunk }, secret: undefined };
    }
    case "vector-sent":
      return { braid, payload: { kind: "ct1-ack" }, secret: undefined };
    case "header-received":
      return sampleCt1(braid, attempt, random);
    case "ct1-sampled":
    case "vector-received": {
      const { chunk, encoder } = nextChunk(braid.ct1);
      return { braid: { ...braid, ct1: encoder }, payload: { kind: "ct1", chunk }, secret: undefined };
    }
    case "ct2-sampled": {
      const { chunk, encoder } = nextChunk(braid.ct2);
      return { braid: { ...braid, ct2: encoder }, payload: { kind: "ct2", chunk }, secret: undefined };
    }
    case "no-header":
    case "ct1-acknowledged":
      return { braid, payload: { kind: "none" }, secret: undefined };
  }
}

/**
 * Takes what a message says of the key exchange. A payload of an earlier epoch, or one that the state has no use
 * for, changes nothing.
 * @throws ProtocolError `too-far-ahead` for an epoch that cannot have begun; `bad-tag` or `bad-key` when a completed
 * part is not authentic.
 */
export function braidReceive(braid: Braid, epoch: number, payload: BraidPayload, attempt: Attempt): BraidStep {
  if (epoch < braid.epoch) return unchanged(braid);
  if (epoch > braid.epoch) return enterNextEpoch(braid, epoch);
  switch (braid.kind) {
    case "keys-sampled":
      if (payload.kind !== "ct1") return unchanged(braid);
      return unchanged({
        kind: "header-sent",
        epoch: braid.epoch,
        authenticator: braid.authenticator,
        seed: braid.seed,
        vector: startEncoder(braid.vector),
        ct1: addChunk(startDecoder(KEM_CT1_BYTES), payload.chunk),
      });
    case "header-sent": {
      if (payload.kind !== "ct1") return unchanged(braid);
      const decoder = addChunk(braid.ct1, payload.chunk);
      const ct1 = decodeMessage(decoder);
      return unchanged(ct1 === undefined ? { ...braid, ct1: decoder } : { ...braid, kind: "ct1-received", ct1 });
    }
    case "ct1-received": {
      if (payload.kind !== "ct2") return unchanged(braid);
      const { epoch: current, authenticator, seed, ct1 } = braid;
      const ct2 = addChunk(startDecoder(CT2_MESSAGE_BYTES), payload.chunk);
      return unchanged({ kind: "vector-sent", epoch: current, authenticator, seed, ct1, ct2 });
    }
    case "vector-sent": {
      if (payload.kind !== "ct2") return unchanged(braid);
      const decoder = addChunk(braid.ct2, payload.chunk);
      const message = decodeMessage(decoder);
      return message === undefined ? unchanged({ ...braid, ct2: decoder }) : finishKey(braid, message, attempt);
    }
    case "no-header": {
      if (payload.kind !== "header") return unchanged(braid);
      const decoder = addChunk(braid.header, payload.chunk);
      const message = decodeMessage(decoder);
      return unchanged(message === undefined ? { ...braid, header: decoder } : acceptHeader(braid, message));
    }
    case "ct1-sampled": {
      if (payload.kind !== "vector" && payload.kind !== "vector-ct1-ack") return unchanged(braid);
      const decoder = addChunk(braid.vector, payload.chunk);
      const vector = decodeMessage(decoder);
      const acknowledged = payload.kind === "vector-ct1-ack";
      if (vector !== undefined) requireAnnounced(braid.header, vector);
      if (vector !== undefined && acknowledged) return unchanged(sampleCt2(braid, braid.ct1.message, vector, attempt));
      if (vector !== undefined) return unchanged({ ...braid, kind: "vector-received", vector });
      if (acknowledged) return unchanged({ ...braid, kind: "ct1-acknowledged", ct1: braid.ct1.message, vector: decoder });
      return unchanged({ ...braid, vector: decoder });
    }
    case "vector-received":
      if (payload.kind !== "ct1-ack" && payload.kind !== "vector-ct1-ack") return unchanged(braid);
      return unchanged(sampleCt2(braid, braid.ct1.message, braid.vector, attempt));
    case "ct1-acknowledged": {
      if (payload.kind !== "vector" && payload.kind !== "vector-ct1-ack") return unchanged(braid);
      const decoder = addChunk(braid.vector, payload.chunk);
      const vector = decodeMessage(decoder);
      return unchanged(vector === undefined ? { ...braid, vector: decoder } : sampleCt2(braid, braid.ct1, vector, attempt));
    }
    case "keys-unsampled":
    case "header-received":
    case "ct2-sampled":
      return unchanged(braid);
  }
}

type In<Kind extends Braid["kind"]> = Extract<Braid, { readonly kind: Kind }>;

function unchanged(braid: Braid): BraidStep {
  return { braid, secret: undefined };
}

/** The other side has the ciphertext whole and went on: now the key is ours to make. */
function enterNextEpoch(braid: Braid, epoch: number): BraidStep {
  if (braid.kind !== "ct2-sampled" || epoch !== braid.epoch + 1) throw new ProtocolError("too-far-ahead");
  return unchanged({ kind: "keys-unsampled", epoch, authenticator: braid.authenticator });
}

function sampleKeys({ epoch, authenticator }: In<"keys-unsampled">, attempt: Attempt, random: Random): BraidSend {
  const { seed, header, vector } = generateIncremental(random);
  const message = concat(header, headerMac(authenticator, epoch, header));
  const { chunk, encoder } = nextChunk(startEncoder(message));
  const own = attempt.keep(seed);
  return {
    braid: { kind: "keys-sampled", epoch, authenticator, seed: own, vector, header: encoder },
    payload: { kind: "header", chunk },
    secret: undefined,
  };
}

function acceptHeader({ epoch, authenticator }: In<"no-header">, message: Bytes): Braid {
  const header = message.slice(0, KEM_HEADER_BYTES);
  if (!equal(headerMac(authenticator, epoch, header), message.slice(KEM_HEADER_BYTES))) throw new ProtocolError("bad-tag");
  return { kind: "header-received", epoch, authenticator, header };
}

function sampleCt1({ epoch, authenticator, header }: In<"header-received">, attempt: Attempt, random: Random): BraidSend {
  const { coins, ct1, sharedSecret } = encapsulateFirst(header, random);
  const secret = epochSecret(epoch, sharedSecret);
  const { chunk, encoder } = nextChunk(startEncoder(ct1));
  const braid: Braid = {
    kind: "ct1-sampled",
    epoch,
    authenticator: updateAuthenticator(authenticator, epoch, secret, attempt),
    header,
    coins: attempt.keep(coins),
    ct1: encoder,
    vector: startDecoder(KEM_VECTOR_BYTES),
  };
  return { braid, payload: { kind: "ct1", chunk }, secret };
}

function sampleCt2(
  { epoch, authenticator, header, coins }: In<"ct1-sampled" | "vector-received" | "ct1-acknowledged">,
  ct1: Bytes,
  vector: Bytes,
  attempt: Attempt,
): Braid {
  const ct2 = encapsulateSecond(header, vector, coins);
  attempt.spend(coins);
  const message = concat(ct2, ciphertextMac(authenticator, epoch, ct1, ct2));
  return { kind: "ct2-sampled", epoch, authenticator, ct2: startEncoder(message) };
}

function finishKey(braid: In<"vector-sent">, message: Bytes, attempt: Attempt): BraidStep {
  const { epoch, seed, ct1 } = braid;
  const ct2 = message.slice(0, KEM_CT2_BYTES);
  const secret = epochSecret(epoch, decapsulateHalves(seed, ct1, ct2));
  const authenticator = updateAuthenticator(braid.authenticator, epoch, secret, attempt);
  if (!equal(ciphertextMac(authenticator, epoch, ct1, ct2), message.slice(KEM_CT2_BYTES))) {
    secret.fill(0);
    throw new ProtocolError("bad-tag");
  }
  attempt.spend(seed);
  return { braid: { kind: "no-header", epoch: epoch + 1, authenticator, header: startDecoder(HEADER_MESSAGE_BYTES) }, secret };
}

/** Overwrites the shared secret. */
function epochSecret(epoch: number, sharedSecret: Bytes): Bytes {
  const info = concat(LABELS.BRAID_EPOCH_SECRET, be64(epoch));
  const secret = hkdf({ salt: EMPTY, inputKey: sharedSecret, info, length: 32 });
  sharedSecret.fill(0);
  return secret;
}
