// Authentication of the braid's public parts: a key that starts from the session's agreement and absorbs each
// epoch's secret, so that a later compromise of the agreement's keys does not let anyone inject a KEM key.

import { hkdf, hmac, LABELS, type Secret } from "#crypto";
import { be64, type Bytes, concat, EMPTY } from "#wire";
import type { Attempt } from "../attempt.ts";

export interface Authenticator {
  readonly root: Secret;
  readonly macKey: Secret;
}

export const BRAID_MAC_BYTES: number = 32;

/** Both keys start as zeros and absorb the session's key for epoch 1. */
export function startAuthenticator(authKey: Bytes, attempt: Attempt): Authenticator {
  return derive(new Uint8Array(32), 1, authKey, attempt);
}

export function updateAuthenticator(authenticator: Authenticator, epoch: number, secret: Bytes, attempt: Attempt): Authenticator {
  attempt.spend(authenticator.root, authenticator.macKey);
  return derive(authenticator.root.expose(), epoch, secret, attempt);
}

function derive(root: Bytes, epoch: number, secret: Bytes, attempt: Attempt): Authenticator {
  const inputKey = concat(root, secret);
  const okm = hkdf({ salt: EMPTY, inputKey, info: concat(LABELS.BRAID_AUTHENTICATOR_UPDATE, be64(epoch)), length: 64 });
  inputKey.fill(0);
  const next = { root: attempt.make(okm.slice(0, 32)), macKey: attempt.make(okm.slice(32)) };
  okm.fill(0);
  return next;
}

export function headerMac({ macKey }: Authenticator, epoch: number, header: Bytes): Bytes {
  return hmac(macKey.expose(), concat(LABELS.BRAID_HEADER_MAC, be64(epoch), header));
}

export function ciphertextMac({ macKey }: Authenticator, epoch: number, ct1: Bytes, ct2: Bytes): Bytes {
  return hmac(macKey.expose(), concat(LABELS.BRAID_CIPHERTEXT_MAC, be64(epoch), ct1, ct2));
}
