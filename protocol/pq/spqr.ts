// The sparse post-quantum ratchet (SPQR, version 1): the braid agrees on secrets, the epoch chains turn them into
// one key a message. That key salts the message keys of the Double Ratchet and is worthless alone.

import type { Random, Secret } from "#crypto";
import { type Bytes, ProtocolError } from "#wire";
import type { Attempt } from "../attempt.ts";
import { startAuthenticator } from "./authenticator.ts";
import { type Braid, braidReceive, braidSend, startBraid } from "./braid.ts";
import { addEpoch, type Direction, type EpochChains, epochSecrets, startEpochChains, takeReceiveKey, takeSendKey } from "./epoch-chains.ts";
import { decodeSpqrMessage, encodeSpqrMessage, SPQR_VERSION } from "./message.ts";

export interface SpqrState {
  readonly braid: Braid;
  readonly chains: EpochChains;
}

/** Both sides start from the third key of the session's agreement; the initiator sends A to B. */
export function initSpqr(authKey: Bytes, direction: Direction, attempt: Attempt): SpqrState {
  return {
    braid: startBraid(direction === "a2b" ? "key" : "ciphertext", startAuthenticator(authKey, attempt)),
    chains: startEpochChains(authKey, direction, attempt),
  };
}

export interface SpqrSend {
  readonly state: SpqrState;
  readonly message: Bytes;
  readonly key: Secret;
}

/** A message of braid epoch e takes its key from chain epoch e - 1: the secret of e is not common yet. */
export function spqrSend(state: SpqrState, attempt: Attempt, random: Random): SpqrSend {
  const { epoch } = state.braid;
  const { braid, payload, secret } = braidSend(state.braid, attempt, random);
  const taken = takeSendKey(absorb(state.chains, secret, attempt), epoch - 1, attempt);
  const message = encodeSpqrMessage({ epoch, index: taken.index, payload });
  return { state: { braid, chains: taken.chains }, message, key: taken.key };
}

export interface SpqrReceive {
  readonly state: SpqrState;
  /** `undefined` for a sender that has no key yet (the oldest peers) and for a version above ours. */
  readonly key: Secret | undefined;
}

/**
 * Version rules: no message at all is version 0, which we never negotiate; a later version is passed over, so that
 * it can be introduced.
 * @throws WireError, ProtocolError `bad-state` for version 0; whatever braid and chains refuse.
 */
export function spqrReceive(state: SpqrState, bytes: Bytes, attempt: Attempt): SpqrReceive {
  const version = bytes[0] ?? 0;
  if (version < SPQR_VERSION) throw new ProtocolError("bad-state");
  if (version > SPQR_VERSION) return { state, key: undefined };
  const { epoch, index, payload } = decodeSpqrMessage(bytes);
  const { braid, secret } = braidReceive(state.braid, epoch, payload, attempt);
  const chains = absorb(state.chains, secret, attempt);
  if (index === 0 && epoch === 1) return { state: { braid, chains }, key: undefined };
  const taken = takeReceiveKey(chains, epoch - 1, index, attempt);
  return { state: { braid, chains: taken.chains }, key: taken.key };
}

/** Whether any message with a key was received. From then on a message without one is suspect. */
export function hasReceivedKey({ chains }: SpqrState): boolean {
  return chains.firstEpoch > 0 || chains.epochs.some(({ receive }) => receive.index > 0);
}

/** How far a message asks the key chain to stand, at most: what it may cost before anything is authenticated. */
export function stepsAsked(bytes: Bytes): number {
  return bytes[0] === SPQR_VERSION ? decodeSpqrMessage(bytes).index : 0;
}

function absorb(chains: EpochChains, secret: Bytes | undefined, attempt: Attempt): EpochChains {
  if (secret === undefined) return chains;
  const next = addEpoch(chains, secret, attempt);
  secret.fill(0);
  return next;
}

/** Every secret of a state, for wiping one that is dropped whole. */
export function spqrSecrets({ braid, chains }: SpqrState): readonly Secret[] {
  const secrets = [braid.authenticator.root, braid.authenticator.macKey, chains.nextRoot];
  if ("seed" in braid) secrets.push(braid.seed);
  if ("coins" in braid) secrets.push(braid.coins);
  return [...secrets, ...chains.epochs.flatMap(epochSecrets)];
}
