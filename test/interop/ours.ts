// One device of our own implementation, as the same kind of party that the official library's devices are. Does the
// shell's part in its simplest form: load, decide, commit, wipe. Records lie as bytes, so every call also proves the codec.

import {
  generateKeyPair,
  generateKyberKeyPair,
  type KeyPair,
  type KyberKeyPair,
  KyberPublicKey,
  parseIdentityKey,
  parsePublicKey,
  type Random,
  type Secret,
  sign,
} from "../../crypto/index.ts";
import {
  decodeSenderKeyRecord,
  decodeSessionRecord,
  type Done,
  EMPTY_RECORD,
  encodeSenderKeyRecord,
  encodeSessionRecord,
  initiateSession,
  type LoadedPreKeys,
  type LocalDevice,
  NO_SENDER_KEY,
  openMessage,
  type Outcome,
  type PreKeyBundle,
  preKeysNeeded,
  sealMessage,
  type SenderKeyRecord,
  type SessionMessage,
  type SessionRecord,
} from "../../protocol/index.ts";
import { type Bytes, type DeviceAddress, parseRegistrationId, serviceIdOfDevice, toHex } from "../../wire/index.ts";
import type { Bundle, Endpoint, OneTimeKeys, Party } from "./party.ts";

const SIGNED_PREKEY_ID = 1;
const LAST_RESORT_ID = 1;
const NOW_SECONDS = 1_790_000_000;

export class Ours implements Endpoint {
  readonly address: DeviceAddress;
  readonly random: Random;
  readonly local: LocalDevice;
  readonly #signedPreKey: KeyPair;
  readonly #kyberPreKeys = new Map<number, KyberKeyPair>();
  readonly #oneTimePreKeys = new Map<number, KeyPair>();
  readonly #uses = new Set<string>();
  readonly #sessions = new Map<string, Bytes>();
  readonly #senderKeys = new Map<string, Bytes>();
  #nextId = LAST_RESORT_ID + 1;

  constructor(address: DeviceAddress, random: Random, registrationId = 4321) {
    this.address = address;
    this.random = random;
    this.local = { address, registrationId: parseRegistrationId(registrationId), identity: generateKeyPair(random) };
    this.#signedPreKey = generateKeyPair(random);
    this.#kyberPreKeys.set(LAST_RESORT_ID, generateKyberKeyPair(random));
  }

  get identity(): KeyPair {
    return this.local.identity;
  }

  bundle(keys: OneTimeKeys): Bundle {
    const { registrationId, identity } = this.local;
    const oneTime = keys === "with one-time prekeys" ? this.#nextId++ : undefined;
    const kyberId = oneTime ?? LAST_RESORT_ID;
    const kyber = this.#kyberPreKeys.get(kyberId) ?? generateKyberKeyPair(this.random);
    this.#kyberPreKeys.set(kyberId, kyber);
    const signed = this.#signedPreKey.publicKey.encode();
    return {
      registrationId,
      identityKey: identity.publicKey.encode(),
      signedPreKey: { id: SIGNED_PREKEY_ID, publicKey: signed, signature: this.#sign(signed) },
      kyberPreKey: { id: kyberId, publicKey: kyber.publicKey.encoded, signature: this.#sign(kyber.publicKey.encoded) },
      oneTimePreKey: oneTime === undefined ? undefined : { id: oneTime, publicKey: this.#makeOneTime(oneTime) },
    };
  }

  begin(remote: DeviceAddress, bundle: Bundle): void {
    const input = { local: this.local, bundle: parseBundle(bundle), nowSeconds: NOW_SECONDS };
    this.commitSession(remote, initiateSession(this.session(remote), input, this.random));
  }

  seal(remote: DeviceAddress, plaintext: Bytes): SessionMessage {
    const input = { local: this.local, remote, plaintext, nowSeconds: NOW_SECONDS };
    return this.commitSession(remote, sealMessage(this.session(remote), input, this.random));
  }

  open(remote: DeviceAddress, message: SessionMessage): Bytes {
    const preKeys = message.kind === "prekey" ? this.#load(message.bytes) : undefined;
    const input = { local: this.local, remote, remoteIdentity: "any" as const, message, preKeys };
    const { plaintext, used } = this.commitSession(remote, openMessage(this.session(remote), input, this.random));
    if (used !== undefined) {
      if (used.preKeyId !== undefined) this.#oneTimePreKeys.delete(used.preKeyId);
      if (used.kyberPreKeyId !== LAST_RESORT_ID) this.#kyberPreKeys.delete(used.kyberPreKeyId);
      this.#uses.add(toHex(used.baseKey));
    }
    return plaintext;
  }

  with(remote: DeviceAddress): Party {
    return {
      bundle: async (keys) => this.bundle(keys),
      start: async (bundle) => this.begin(remote, bundle),
      seal: async (plaintext) => this.seal(remote, plaintext),
      open: async (message) => this.open(remote, message),
    };
  }

  session(remote: DeviceAddress): SessionRecord {
    const bytes = this.#sessions.get(serviceIdOfDevice(remote));
    return bytes === undefined ? EMPTY_RECORD : decodeSessionRecord(bytes);
  }

  /** Stores the new state and wipes what it replaced. @throws Error with the code of a refusal. */
  commitSession<Output>(remote: DeviceAddress, outcome: Outcome<SessionRecord, Output>): Output {
    const { state, output, spent } = accepted(outcome);
    this.#sessions.set(serviceIdOfDevice(remote), encodeSessionRecord(state));
    wipe(spent);
    return output;
  }

  senderKey(sender: DeviceAddress): SenderKeyRecord {
    const bytes = this.#senderKeys.get(serviceIdOfDevice(sender));
    return bytes === undefined ? NO_SENDER_KEY : decodeSenderKeyRecord(bytes);
  }

  commitSenderKey<Output>(sender: DeviceAddress, outcome: Outcome<SenderKeyRecord, Output>): Output {
    const { state, output, spent } = accepted(outcome);
    this.#senderKeys.set(serviceIdOfDevice(sender), encodeSenderKeyRecord(state));
    wipe(spent);
    return output;
  }

  #sign(message: Bytes): Bytes {
    return sign(this.identity.privateKey, message, this.random);
  }

  #makeOneTime(id: number): Bytes {
    const pair = generateKeyPair(this.random);
    this.#oneTimePreKeys.set(id, pair);
    return pair.publicKey.encode();
  }

  #load(bytes: Bytes): LoadedPreKeys {
    const { preKeyId, kyberPreKeyId, baseKey } = preKeysNeeded(bytes);
    return {
      signedPreKey: this.#signedPreKey,
      kyberPreKey: this.#kyberPreKeys.get(kyberPreKeyId),
      oneTimePreKey: preKeyId === undefined ? undefined : this.#oneTimePreKeys.get(preKeyId),
      usedBefore: this.#uses.has(toHex(baseKey)),
    };
  }
}

function parseBundle(bundle: Bundle): PreKeyBundle {
  const { signedPreKey, kyberPreKey, oneTimePreKey } = bundle;
  return {
    registrationId: parseRegistrationId(bundle.registrationId),
    identityKey: parseIdentityKey(bundle.identityKey),
    signedPreKey: { ...signedPreKey, publicKey: parsePublicKey(signedPreKey.publicKey) },
    kyberPreKey: { ...kyberPreKey, publicKey: KyberPublicKey.parse(kyberPreKey.publicKey) },
    oneTimePreKey: oneTimePreKey === undefined ? undefined : { id: oneTimePreKey.id, publicKey: parsePublicKey(oneTimePreKey.publicKey) },
  };
}

/** @throws Error with the code of a refusal. */
export function accepted<State, Output>(outcome: Outcome<State, Output>): Done<State, Output> {
  if (outcome.kind === "refused") throw new Error(`refused: ${outcome.code}`);
  return outcome;
}

function wipe(secrets: readonly Secret[]): void {
  for (const secret of secrets) secret.wipe();
}
