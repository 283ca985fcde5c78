// PQXDH (signal.org/docs/specifications/pqxdh): the key agreement that begins a session. Knows keys only; who may
// use which prekey, and what is stored, is decided around it.

import {
  agree,
  hkdf,
  type KeyPair,
  type KyberKeyPair,
  type KyberPublicKey,
  LABELS,
  type PublicKey,
  type Random,
  generateKeyPair,
  kyberDecapsulate,
  kyberEncapsulate,
} from "#crypto";
import { type Bytes, concat, EMPTY } from "#wire";
import type { Attempt } from "./attempt.ts";
import type { InitialKeys } from "./ratchet.ts";

/** PQXDH section 2.2: 32 bytes 0xFF, so that the input is never a valid encoding of a key. */
const DISCONTINUITY: Bytes = new Uint8Array(32).fill(0xff);

export interface TheirPreKeys {
  readonly identityKey: PublicKey;
  readonly signedPreKey: PublicKey;
  readonly oneTimePreKey: PublicKey | undefined;
  readonly kyberPreKey: KyberPublicKey;
}

export interface Initiation {
  readonly keys: InitialKeys;
  readonly baseKey: PublicKey;
  readonly kyberCiphertext: Bytes;
}

/** The initiator's side (PQXDH section 3.3). The signatures on the prekeys must have been verified. */
export function initiateAgreement(identity: KeyPair, theirs: TheirPreKeys, attempt: Attempt, random: Random): Initiation {
  const base = generateKeyPair(random);
  attempt.spend(attempt.keep(base.privateKey));
  const kem = kyberEncapsulate(theirs.kyberPreKey, random);
  const keys = deriveInitialKeys(
    [
      agree(identity.privateKey, theirs.signedPreKey),
      agree(base.privateKey, theirs.identityKey),
      agree(base.privateKey, theirs.signedPreKey),
      ...(theirs.oneTimePreKey === undefined ? [] : [agree(base.privateKey, theirs.oneTimePreKey)]),
      kem.sharedSecret,
    ],
    attempt,
  );
  return { keys, baseKey: base.publicKey, kyberCiphertext: kem.ciphertext };
}

export interface OurPreKeys {
  readonly signedPreKey: KeyPair;
  readonly oneTimePreKey: KeyPair | undefined;
  readonly kyberPreKey: KyberKeyPair;
}

export interface TheirInitiation {
  readonly identityKey: PublicKey;
  readonly baseKey: PublicKey;
  readonly kyberCiphertext: Bytes;
}

/** The responder's side (PQXDH section 3.4). Wrong keys show as a failed MAC of the first message. */
export function answerAgreement(identity: KeyPair, ours: OurPreKeys, theirs: TheirInitiation, attempt: Attempt): InitialKeys {
  return deriveInitialKeys(
    [
      agree(ours.signedPreKey.privateKey, theirs.identityKey),
      agree(identity.privateKey, theirs.baseKey),
      agree(ours.signedPreKey.privateKey, theirs.baseKey),
      ...(ours.oneTimePreKey === undefined ? [] : [agree(ours.oneTimePreKey.privateKey, theirs.baseKey)]),
      kyberDecapsulate(ours.kyberPreKey.seed, theirs.kyberCiphertext),
    ],
    attempt,
  );
}

/** Order matters: the KDF input is the concatenation. The secrets are overwritten. */
function deriveInitialKeys(secrets: readonly Bytes[], attempt: Attempt): InitialKeys {
  const inputKey = concat(DISCONTINUITY, ...secrets);
  const okm = hkdf({ salt: EMPTY, inputKey, info: LABELS.PQXDH_INFO, length: 96 });
  for (const secret of secrets) secret.fill(0);
  inputKey.fill(0);
  const pqAuthKey = attempt.make(okm.slice(64));
  const keys = { rootKey: attempt.make(okm.slice(0, 32)), chainKey: attempt.make(okm.slice(32, 64)), pqAuthKey };
  okm.fill(0);
  attempt.spend(pqAuthKey);
  return keys;
}
