// One device of ours with a store of bytes: what a client does around each call, without a disk. One set of prekeys serves
// any number of strangers, and nothing of it is used up, so that a set-up can be repeated.

import {
  generateKeyPair,
  generateKyberKeyPair,
  type KeyPair,
  KyberPublicKey,
  parseIdentityKey,
  parsePublicKey,
  PublicKey,
  Secret,
  sign,
  systemRandom,
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
  sealMessage,
  type SenderKeyRecord,
  type SessionMessage,
  type SessionRecord,
} from "../../protocol/index.ts";
import { type Bytes, copy, type DeviceAddress, parseDeviceId, parseRegistrationId, userIdFromDigest } from "../../wire/index.ts";
import type { Bundle } from "../../test/interop/party.ts";

const NOW_SECONDS = 1_790_000_000;
const PREKEY_ID = 1;

export function randomAddress(): DeviceAddress {
  return { userId: userIdFromDigest(systemRandom(32)), deviceId: parseDeviceId(1) };
}

interface StoredPair {
  readonly privateKey: Bytes;
  readonly publicKey: Bytes;
}

/** Private prekeys as a store has them. */
export class PreKeys {
  readonly #signed: StoredPair = stored(generateKeyPair(systemRandom));
  readonly #oneTime: StoredPair = stored(generateKeyPair(systemRandom));
  readonly #kyber: StoredPair;

  constructor() {
    const { seed, publicKey } = generateKyberKeyPair(systemRandom);
    this.#kyber = { privateKey: copy(seed.expose()), publicKey: publicKey.encoded };
  }

  /** For a device with this identity. */
  bundle(identity: KeyPair, registrationId: number): Bundle {
    const signed = loaded(this.#signed).publicKey.encode();
    const kyber = this.#kyber.publicKey;
    return {
      registrationId,
      identityKey: identity.publicKey.encode(),
      signedPreKey: { id: PREKEY_ID, publicKey: signed, signature: sign(identity.privateKey, signed, systemRandom) },
      kyberPreKey: { id: PREKEY_ID, publicKey: kyber, signature: sign(identity.privateKey, kyber, systemRandom) },
      oneTimePreKey: { id: PREKEY_ID, publicKey: loaded(this.#oneTime).publicKey.encode() },
    };
  }

  load(): LoadedPreKeys {
    const { privateKey, publicKey } = this.#kyber;
    return {
      signedPreKey: loaded(this.#signed),
      oneTimePreKey: loaded(this.#oneTime),
      kyberPreKey: { seed: new Secret(copy(privateKey)), publicKey: KyberPublicKey.parse(publicKey) },
      usedBefore: false,
    };
  }
}

function stored({ privateKey, publicKey }: KeyPair): StoredPair {
  return { privateKey: copy(privateKey.expose()), publicKey: publicKey.raw };
}

function loaded({ privateKey, publicKey }: StoredPair): KeyPair {
  return { privateKey: new Secret(copy(privateKey)), publicKey: PublicKey.fromRaw(publicKey) };
}

export class Device {
  readonly local: LocalDevice;
  readonly preKeys: PreKeys;
  /** With one peer only: a work never needs another. */
  #session: Bytes | undefined;
  #senderKey: Bytes | undefined;

  constructor(preKeys: PreKeys) {
    const identity = generateKeyPair(systemRandom);
    this.local = { address: randomAddress(), registrationId: parseRegistrationId(1), identity };
    this.preKeys = preKeys;
  }

  bundle(): Bundle {
    return this.preKeys.bundle(this.local.identity, this.local.registrationId);
  }

  forget(): void {
    this.#session = undefined;
  }

  begin(bundle: Bundle): void {
    const input = { local: this.local, bundle: parseBundle(bundle), nowSeconds: NOW_SECONDS };
    this.#commit(initiateSession(this.#load(), input, systemRandom));
  }

  seal(remote: Device, plaintext: Bytes): SessionMessage {
    const input = { local: this.local, remote: remote.local.address, plaintext, nowSeconds: NOW_SECONDS };
    return this.#commit(sealMessage(this.#load(), input, systemRandom));
  }

  open(remote: Device, message: SessionMessage): Bytes {
    const preKeys = message.kind === "prekey" ? this.preKeys.load() : undefined;
    const input = { local: this.local, remote: remote.local.address, remoteIdentity: "any" as const, message, preKeys };
    return this.#commit(openMessage(this.#load(), input, systemRandom)).plaintext;
  }

  /** One step of the record for a group: its own, or the one of the sender it listens to. */
  groupStep<Output>(step: (record: SenderKeyRecord) => Outcome<SenderKeyRecord, Output>): Output {
    const { state, output, spent } = done(step(this.#senderKey === undefined ? NO_SENDER_KEY : decodeSenderKeyRecord(this.#senderKey)));
    this.#senderKey = encodeSenderKeyRecord(state);
    for (const secret of spent) secret.wipe();
    return output;
  }

  #load(): SessionRecord {
    return this.#session === undefined ? EMPTY_RECORD : decodeSessionRecord(this.#session);
  }

  #commit<Output>(outcome: Outcome<SessionRecord, Output>): Output {
    const { state, output, spent } = done(outcome);
    this.#session = encodeSessionRecord(state);
    for (const secret of spent) secret.wipe();
    return output;
  }
}

/** @throws Error for a refusal: nothing is refused in a benchmark. */
function done<State, Output>(outcome: Outcome<State, Output>): Done<State, Output> {
  if (outcome.kind === "refused") throw new Error(`refused: ${outcome.code}`);
  return outcome;
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
