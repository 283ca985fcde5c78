// The JavaScript library "libsignal" 6.0.0 (session version 3: no post-quantum part) at the works. Records are stored as
// JSON text.

import libsignal, { type Bundle, type KeyPair, type SessionRecord, type Storage } from "libsignal";
import { KIBIBYTE, requireEqual, SHORT, type Step, type Subject } from "./works.ts";

const PREKEY_ID = 1;
const PREKEY_MESSAGE = 3;
// It takes nothing but Buffers.
const kibibyte = Buffer.from(KIBIBYTE);
const short = Buffer.from(SHORT);
const { keyhelper, ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord: Records } = libsignal;

export function libsignalJs(): Subject {
  return { works: { "session set-up": setUp, "one way 1 KiB": () => talk(kibibyte, false), "ping-pong 32 B": () => talk(short, true) } };
}

/** A device with one peer, whose prekeys are never used up. */
class Device implements Storage {
  readonly #identity = keyhelper.generateIdentityKeyPair();
  readonly #signed = keyhelper.generateSignedPreKey(this.#identity, PREKEY_ID);
  readonly #oneTime = keyhelper.generatePreKey(PREKEY_ID);
  readonly #remote = new ProtocolAddress("peer", 1);
  #session: string | undefined;

  bundle(): Bundle {
    return {
      registrationId: 1,
      identityKey: this.#identity.pubKey,
      signedPreKey: { keyId: PREKEY_ID, publicKey: this.#signed.keyPair.pubKey, signature: this.#signed.signature },
      preKey: { keyId: PREKEY_ID, publicKey: this.#oneTime.keyPair.pubKey },
    };
  }

  forget(): void {
    this.#session = undefined;
  }

  async begin(bundle: Bundle): Promise<void> {
    await new SessionBuilder(this, this.#remote).initOutgoing(bundle);
  }

  async seal(plaintext: Buffer): Promise<{ readonly type: number; readonly body: Buffer }> {
    const { type, body } = await new SessionCipher(this, this.#remote).encrypt(plaintext);
    return { type, body: typeof body === "string" ? Buffer.from(body, "binary") : Buffer.from(body) };
  }

  async open({ type, body }: { readonly type: number; readonly body: Buffer }): Promise<Uint8Array> {
    const cipher = new SessionCipher(this, this.#remote);
    return type === PREKEY_MESSAGE ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body);
  }

  async loadSession(): Promise<SessionRecord | undefined> {
    // What `serialize` made went through JSON text and back.
    return this.#session === undefined ? undefined : Records.deserialize(JSON.parse(this.#session) as object);
  }
  async storeSession(_id: string, record: SessionRecord): Promise<void> {
    this.#session = JSON.stringify(record.serialize());
  }
  isTrustedIdentity(): boolean {
    return true;
  }
  async loadPreKey(): Promise<KeyPair> {
    return this.#oneTime.keyPair;
  }
  removePreKey(): void {
    // Kept, so that a set-up can be repeated.
  }
  loadSignedPreKey(): KeyPair {
    return this.#signed.keyPair;
  }
  getOurRegistrationId(): number {
    return 1;
  }
  getOurIdentity(): KeyPair {
    return this.#identity;
  }
}

function setUp(): Step {
  const [alice, bob] = [new Device(), new Device()];
  const bundle = bob.bundle();
  return async () => {
    alice.forget();
    bob.forget();
    await alice.begin(bundle);
    requireEqual(await bob.open(await alice.seal(short)), short);
  };
}

async function talk(plaintext: Buffer, takeTurns: boolean): Promise<Step> {
  const [alice, bob] = [new Device(), new Device()];
  await alice.begin(bob.bundle());
  await bob.open(await alice.seal(short));
  await alice.open(await bob.seal(short));
  let [writer, reader] = [alice, bob];
  return async () => {
    requireEqual(await reader.open(await writer.seal(plaintext)), plaintext);
    if (takeTurns) [writer, reader] = [reader, writer];
  };
}
