// A device of the official library, over the in-memory stores of the interoperability tests: every record is serialised when it
// is stored and read back from bytes. Knows no work.

import { systemRandom } from "../crypto/index.ts";
import {
  type CiphertextMessage,
  libsignal0103,
  type PreKeyBundle,
  type PrivateKey,
  type ProtocolAddress,
} from "../test/interop/library.ts";
import { openStores, type Stores } from "../test/interop/stores.ts";
import { type Bytes, uuidFromBytes } from "../wire/index.ts";

const { api, processPreKeyBundle, signalDecrypt, signalDecryptPreKey, signalEncrypt } = libsignal0103;
const PREKEY_ID = 1;
const REGISTRATION_ID = 1;
export const DEVICE_ID = 1;
export const NOW_MILLISECONDS = 1_790_000_000_000;

/** One set of prekeys serves any number of devices, and nothing of it is used up, so that a set-up can be repeated. */
export class PreKeys {
  readonly #signed = api.PrivateKey.generate();
  readonly #oneTime = api.PrivateKey.generate();
  readonly #kyber = api.KEMKeyPair.generate();

  async bundle({ identity, stores }: Device): Promise<PreKeyBundle> {
    const [signed, oneTime, kyber] = [this.#signed.getPublicKey(), this.#oneTime.getPublicKey(), this.#kyber.getPublicKey()];
    const signature = identity.sign(signed.serialize());
    const kyberSignature = identity.sign(kyber.serialize());
    await stores.preKeys.savePreKey(PREKEY_ID, api.PreKeyRecord.new(PREKEY_ID, oneTime, this.#oneTime));
    const signedRecord = api.SignedPreKeyRecord.new(PREKEY_ID, NOW_MILLISECONDS, signed, this.#signed, signature);
    await stores.signedPreKeys.saveSignedPreKey(PREKEY_ID, signedRecord);
    const kyberRecord = api.KyberPreKeyRecord.new(PREKEY_ID, NOW_MILLISECONDS, this.#kyber, kyberSignature);
    await stores.kyberPreKeys.saveKyberPreKey(PREKEY_ID, kyberRecord);
    const [id, identityKey] = [PREKEY_ID, identity.getPublicKey()];
    return api.PreKeyBundle.new(REGISTRATION_ID, DEVICE_ID, id, oneTime, id, signed, signature, identityKey, id, kyber, kyberSignature);
  }
}

export class Device {
  readonly identity: PrivateKey = api.PrivateKey.generate();
  readonly address: ProtocolAddress = api.ProtocolAddress.new(uuidFromBytes(systemRandom(16)), DEVICE_ID);
  stores: Stores;

  constructor() {
    const stores = openStores(libsignal0103, this.identity, REGISTRATION_ID);
    Object.assign(stores.preKeys, { removePreKey: async () => undefined });
    this.stores = stores;
  }

  /** Until the next set-up: a record would otherwise grow by an archived session each time. */
  forgetSessions(sessions: Stores["sessions"]): void {
    this.stores = { ...this.stores, sessions };
  }

  async begin(remote: Device, bundle: PreKeyBundle): Promise<void> {
    await processPreKeyBundle(bundle, remote.address, this.address, this.stores.sessions, this.stores.identities);
  }

  async seal(remote: Device, plaintext: Bytes): Promise<CiphertextMessage> {
    return signalEncrypt(plaintext, remote.address, this.address, this.stores.sessions, this.stores.identities);
  }

  /** A message reaches the other side as bytes. */
  async open(remote: Device, sent: CiphertextMessage): Promise<Bytes> {
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = this.stores;
    const bytes = sent.serialize();
    if (sent.type() !== api.CiphertextMessageType.PreKey) {
      return signalDecrypt(api.SignalMessage.deserialize(bytes), remote.address, this.address, sessions, identities);
    }
    const message = api.PreKeySignalMessage.deserialize(bytes);
    return signalDecryptPreKey(message, remote.address, this.address, sessions, identities, preKeys, signedPreKeys, kyberPreKeys);
  }
}
