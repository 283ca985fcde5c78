// One device of the official library: identity, prekeys, sessions and sender keys over in-memory stores. Every call has
// a time limit. What goes in and comes out is plain bytes, so a test cannot mix the two implementations' objects.

import type { CiphertextMessage, PrivateKey } from "libsignal-0103";
import type { SessionMessage } from "../../protocol/index.ts";
import { type Bytes, copy, type DeviceAddress, type DistributionId, serviceIdOfDevice } from "../../wire/index.ts";
import type { Library, ProtocolAddress } from "./library.ts";
import { type Bundle, type Endpoint, type OneTimeKeys, type Party, type SignedKey, withTimeout } from "./party.ts";
import { LAST_RESORT_ID, openStores, type Stores } from "./stores.ts";

const SIGNED_PREKEY_ID = 1;

export class Peer implements Endpoint {
  readonly library: Library;
  readonly address: DeviceAddress;
  readonly registrationId: number;
  readonly identity: PrivateKey;
  readonly stores: Stores;
  readonly #local: ProtocolAddress;
  #nextId = LAST_RESORT_ID + 1;
  #lasting: Promise<Pick<Bundle, "signedPreKey" | "kyberPreKey">> | undefined;

  /** With an identity of its own, or with the given private key: 32 bytes. */
  constructor(library: Library, address: DeviceAddress, registrationId = 1234, identity?: Bytes) {
    this.library = library;
    this.address = address;
    this.registrationId = registrationId;
    const { PrivateKey } = library.api;
    this.identity = identity === undefined ? PrivateKey.generate() : PrivateKey.deserialize(identity);
    this.stores = openStores(library, this.identity, registrationId);
    this.#local = this.named(address);
  }

  /** An address as the library writes it: the device's own ServiceId, and the device id beside it. */
  named(address: DeviceAddress): ProtocolAddress {
    return this.library.api.ProtocolAddress.new(serviceIdOfDevice(address), address.deviceId);
  }

  get identityKey(): Bytes {
    return copy(this.identity.getPublicKey().serialize());
  }

  sign(message: Bytes): Bytes {
    return copy(this.identity.sign(message));
  }

  async bundle(keys: OneTimeKeys): Promise<Bundle> {
    const { registrationId, identityKey } = this;
    this.#lasting ??= this.#makeLasting();
    const lasting = await this.#lasting;
    if (keys === "without one-time prekeys") return { registrationId, identityKey, ...lasting, oneTimePreKey: undefined };
    const id = this.#nextId++;
    const oneTime = this.library.api.PrivateKey.generate();
    const record = this.library.api.PreKeyRecord.new(id, oneTime.getPublicKey(), oneTime);
    await this.stores.preKeys.savePreKey(id, record);
    return {
      registrationId,
      identityKey,
      signedPreKey: lasting.signedPreKey,
      kyberPreKey: await this.#makeKyber(id),
      oneTimePreKey: { id, publicKey: copy(oneTime.getPublicKey().serialize()) },
    };
  }

  async begin(remote: DeviceAddress, bundle: Bundle): Promise<void> {
    const { api } = this.library;
    const { signedPreKey, kyberPreKey, oneTimePreKey } = bundle;
    const theirs = api.PreKeyBundle.new(
      bundle.registrationId,
      remote.deviceId,
      oneTimePreKey?.id ?? null,
      oneTimePreKey === undefined ? null : api.PublicKey.deserialize(oneTimePreKey.publicKey),
      signedPreKey.id,
      api.PublicKey.deserialize(signedPreKey.publicKey),
      signedPreKey.signature,
      api.PublicKey.deserialize(bundle.identityKey),
      kyberPreKey.id,
      api.KEMPublicKey.deserialize(kyberPreKey.publicKey),
      kyberPreKey.signature,
    );
    const { sessions, identities } = this.stores;
    await withTimeout(
      this.library.processPreKeyBundle(theirs, this.named(remote), this.#local, sessions, identities),
      "processPreKeyBundle",
    );
  }

  async seal(remote: DeviceAddress, plaintext: Bytes): Promise<SessionMessage> {
    const message = await this.sealAsObject(remote, plaintext);
    const kind = message.type() === this.library.api.CiphertextMessageType.PreKey ? "prekey" : "message";
    return { kind, bytes: copy(message.serialize()) };
  }

  /** As `seal`, for what the library itself wraps further. */
  async sealAsObject(remote: DeviceAddress, plaintext: Bytes): Promise<CiphertextMessage> {
    const { sessions, identities } = this.stores;
    return withTimeout(this.library.signalEncrypt(plaintext, this.named(remote), this.#local, sessions, identities), "signalEncrypt");
  }

  async open(remote: DeviceAddress, message: SessionMessage): Promise<Bytes> {
    const plaintext = message.kind === "prekey" ? this.#openPreKey(remote, message.bytes) : this.#openWhisper(remote, message.bytes);
    return copy(await withTimeout(plaintext, "signalDecrypt"));
  }

  async #openPreKey(remote: DeviceAddress, bytes: Bytes): Promise<Uint8Array> {
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = this.stores;
    const message = this.library.api.PreKeySignalMessage.deserialize(bytes);
    const from = this.named(remote);
    return this.library.signalDecryptPreKey(message, from, this.#local, sessions, identities, preKeys, signedPreKeys, kyberPreKeys);
  }

  async #openWhisper(remote: DeviceAddress, bytes: Bytes): Promise<Uint8Array> {
    const { sessions, identities } = this.stores;
    const message = this.library.api.SignalMessage.deserialize(bytes);
    return this.library.signalDecrypt(message, this.named(remote), this.#local, sessions, identities);
  }

  with(remote: DeviceAddress): Party {
    return {
      bundle: (keys) => this.bundle(keys),
      start: (bundle) => this.begin(remote, bundle),
      seal: (plaintext) => this.seal(remote, plaintext),
      open: (message) => this.open(remote, message),
    };
  }

  /** A distribution message for this device's chain, which begins when it is first asked for. */
  async distribute(distributionId: DistributionId): Promise<Bytes> {
    const { senderKeys } = this.stores;
    const { SenderKeyDistributionMessage } = this.library.api;
    const message = await withTimeout(SenderKeyDistributionMessage.create(this.#local, distributionId, senderKeys), "create");
    return copy(message.serialize());
  }

  async learn(sender: DeviceAddress, distribution: Bytes): Promise<void> {
    const { SenderKeyDistributionMessage, processSenderKeyDistributionMessage } = this.library.api;
    const message = SenderKeyDistributionMessage.deserialize(distribution);
    await withTimeout(processSenderKeyDistributionMessage(this.named(sender), message, this.stores.senderKeys), "process");
  }

  async sealForGroup(distributionId: DistributionId, plaintext: Bytes): Promise<Bytes> {
    return copy((await this.sealForGroupAsObject(distributionId, plaintext)).serialize());
  }

  async sealForGroupAsObject(distributionId: DistributionId, plaintext: Bytes): Promise<CiphertextMessage> {
    const { api } = this.library;
    return withTimeout(api.groupEncrypt(this.#local, distributionId, this.stores.senderKeys, plaintext), "groupEncrypt");
  }

  async openFromGroup(sender: DeviceAddress, message: Bytes): Promise<Bytes> {
    const { api } = this.library;
    return copy(await withTimeout(api.groupDecrypt(this.named(sender), this.stores.senderKeys, message), "groupDecrypt"));
  }

  async #makeLasting(): Promise<Pick<Bundle, "signedPreKey" | "kyberPreKey">> {
    const { api } = this.library;
    const key = api.PrivateKey.generate();
    const publicKey = copy(key.getPublicKey().serialize());
    const signature = this.sign(publicKey);
    const record = api.SignedPreKeyRecord.new(SIGNED_PREKEY_ID, Date.now(), key.getPublicKey(), key, signature);
    await this.stores.signedPreKeys.saveSignedPreKey(SIGNED_PREKEY_ID, record);
    return { signedPreKey: { id: SIGNED_PREKEY_ID, publicKey, signature }, kyberPreKey: await this.#makeKyber(LAST_RESORT_ID) };
  }

  async #makeKyber(id: number): Promise<SignedKey> {
    const { api } = this.library;
    const pair = api.KEMKeyPair.generate();
    const publicKey = copy(pair.getPublicKey().serialize());
    const signature = this.sign(publicKey);
    await this.stores.kyberPreKeys.saveKyberPreKey(id, api.KyberPreKeyRecord.new(id, Date.now(), pair, signature));
    return { id, publicKey, signature };
  }
}
