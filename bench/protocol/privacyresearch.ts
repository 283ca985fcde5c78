// The TypeScript library of Privacy Research (session version 3: no post-quantum part) at the works. It serialises its
// records itself.

import {
  type Bundle,
  KeyHelper,
  type KeyPair,
  SessionBuilder,
  SessionCipher,
  SignalProtocolAddress,
  type Storage,
} from "@privacyresearch/libsignal-protocol-typescript";
import { KIBIBYTE, requireEqual, SHORT, type Step, type Subject } from "./works.ts";

const PREKEY_ID = 1;
const PREKEY_MESSAGE = 3;

export function privacyresearch(): Subject {
  return { works: { "session set-up": setUp, "one way 1 KiB": () => talk(KIBIBYTE, false), "ping-pong 32 B": () => talk(SHORT, true) } };
}

interface Message {
  readonly type: number;
  readonly body?: string;
}

interface Keys {
  readonly identity: KeyPair;
  readonly signed: { readonly keyPair: KeyPair; readonly signature: ArrayBuffer };
  readonly oneTime: { readonly keyPair: KeyPair };
}

/** A device with one peer, whose prekeys are never used up. */
class Device implements Storage {
  readonly #keys: Keys;
  readonly #remote = new SignalProtocolAddress("peer", 1);
  #session: string | undefined;

  private constructor(keys: Keys) {
    this.#keys = keys;
  }

  static async make(): Promise<Device> {
    const identity = await KeyHelper.generateIdentityKeyPair();
    const signed = await KeyHelper.generateSignedPreKey(identity, PREKEY_ID);
    return new Device({ identity, signed, oneTime: await KeyHelper.generatePreKey(PREKEY_ID) });
  }

  bundle(): Bundle {
    const { identity, signed, oneTime } = this.#keys;
    return {
      registrationId: 1,
      identityKey: identity.pubKey,
      signedPreKey: { keyId: PREKEY_ID, publicKey: signed.keyPair.pubKey, signature: signed.signature },
      preKey: { keyId: PREKEY_ID, publicKey: oneTime.keyPair.pubKey },
    };
  }

  forget(): void {
    this.#session = undefined;
  }

  async begin(bundle: Bundle): Promise<void> {
    await new SessionBuilder(this, this.#remote).processPreKey(bundle);
  }

  async seal(plaintext: Uint8Array<ArrayBuffer>): Promise<Message> {
    return new SessionCipher(this, this.#remote).encrypt(plaintext.slice().buffer);
  }

  async open({ type, body = "" }: Message): Promise<Uint8Array> {
    const cipher = new SessionCipher(this, this.#remote);
    const opened =
      type === PREKEY_MESSAGE ? cipher.decryptPreKeyWhisperMessage(body, "binary") : cipher.decryptWhisperMessage(body, "binary");
    return new Uint8Array(await opened);
  }

  async getIdentityKeyPair(): Promise<KeyPair> {
    return this.#keys.identity;
  }
  async getLocalRegistrationId(): Promise<number> {
    return 1;
  }
  async isTrustedIdentity(): Promise<boolean> {
    return true;
  }
  async saveIdentity(): Promise<boolean> {
    return false;
  }
  async loadPreKey(): Promise<KeyPair> {
    return this.#keys.oneTime.keyPair;
  }
  async storeSession(_address: string, record: string): Promise<void> {
    this.#session = record;
  }
  async loadSession(): Promise<string | undefined> {
    return this.#session;
  }
  async loadSignedPreKey(): Promise<KeyPair> {
    return this.#keys.signed.keyPair;
  }
  // Nothing is added or removed: a set-up is repeated with the same prekeys.
  async storePreKey(): Promise<void> {}
  async removePreKey(): Promise<void> {}
  async storeSignedPreKey(): Promise<void> {}
  async removeSignedPreKey(): Promise<void> {}
}

async function setUp(): Promise<Step> {
  const [alice, bob] = [await Device.make(), await Device.make()];
  const bundle = bob.bundle();
  return async () => {
    alice.forget();
    bob.forget();
    await alice.begin(bundle);
    requireEqual(await bob.open(await alice.seal(SHORT)), SHORT);
  };
}

async function talk(plaintext: Uint8Array<ArrayBuffer>, takeTurns: boolean): Promise<Step> {
  const [alice, bob] = [await Device.make(), await Device.make()];
  await alice.begin(bob.bundle());
  await bob.open(await alice.seal(SHORT));
  await alice.open(await bob.seal(SHORT));
  let [writer, reader] = [alice, bob];
  return async () => {
    requireEqual(await reader.open(await writer.seal(plaintext)), plaintext);
    if (takeTurns) [writer, reader] = [reader, writer];
  };
}
