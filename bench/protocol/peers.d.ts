// The little that the benchmark uses of packages that are installed for it alone, so that the types can be checked
// without them. Written from their documentation.

declare module "@matrix-org/olm" {
  class Account {
    create(): void;
    generate_one_time_keys(count: number): void;
    /** JSON. */
    one_time_keys(): string;
    /** JSON. */
    identity_keys(): string;
  }
  class Session {
    free(): void;
    create_outbound(account: Account, identityKey: string, oneTimeKey: string): void;
    create_inbound(account: Account, message: string): void;
    encrypt(plaintext: string): { readonly type: number; readonly body: string };
    decrypt(type: number, body: string): string;
    pickle(key: string): string;
    unpickle(key: string, pickle: string): void;
  }
  class OutboundGroupSession {
    free(): void;
    create(): void;
    session_key(): string;
    encrypt(plaintext: string): string;
    pickle(key: string): string;
    unpickle(key: string, pickle: string): void;
  }
  class InboundGroupSession {
    free(): void;
    create(sessionKey: string): void;
    decrypt(message: string): { readonly plaintext: string };
    pickle(key: string): string;
    unpickle(key: string, pickle: string): void;
  }
  interface Olm {
    readonly Account: typeof Account;
    readonly Session: typeof Session;
    readonly OutboundGroupSession: typeof OutboundGroupSession;
    readonly InboundGroupSession: typeof InboundGroupSession;
    init(): Promise<void>;
  }
  const olm: Olm;
  export type { Account, InboundGroupSession, OutboundGroupSession, Session };
  export default olm;
}

declare module "libsignal" {
  interface KeyPair {
    readonly privKey: Buffer;
    readonly pubKey: Buffer;
  }
  interface Storage {
    loadSession(id: string): Promise<SessionRecord | undefined>;
    storeSession(id: string, record: SessionRecord): Promise<void>;
    isTrustedIdentity(): boolean;
    loadPreKey(): Promise<KeyPair>;
    removePreKey(): void;
    loadSignedPreKey(): KeyPair;
    getOurRegistrationId(): number;
    getOurIdentity(): KeyPair;
  }
  interface Bundle {
    readonly registrationId: number;
    readonly identityKey: Uint8Array;
    readonly signedPreKey: { readonly keyId: number; readonly publicKey: Uint8Array; readonly signature: Uint8Array };
    readonly preKey: { readonly keyId: number; readonly publicKey: Uint8Array };
  }
  class ProtocolAddress {
    constructor(name: string, deviceId: number);
    toString(): string;
  }
  class SessionRecord {
    /** A plain object, for JSON. */
    serialize(): object;
    static deserialize(serialized: object): SessionRecord;
  }
  class SessionBuilder {
    constructor(storage: Storage, remote: ProtocolAddress);
    initOutgoing(bundle: Bundle): Promise<void>;
  }
  class SessionCipher {
    constructor(storage: Storage, remote: ProtocolAddress);
    encrypt(plaintext: Uint8Array): Promise<{ readonly type: number; readonly body: string | Uint8Array }>;
    decryptPreKeyWhisperMessage(message: Uint8Array): Promise<Uint8Array>;
    decryptWhisperMessage(message: Uint8Array): Promise<Uint8Array>;
  }
  interface Libsignal {
    readonly ProtocolAddress: typeof ProtocolAddress;
    readonly SessionRecord: typeof SessionRecord;
    readonly SessionBuilder: typeof SessionBuilder;
    readonly SessionCipher: typeof SessionCipher;
    readonly keyhelper: {
      generateIdentityKeyPair(): KeyPair;
      generateSignedPreKey(identity: KeyPair, id: number): { readonly keyPair: KeyPair; readonly signature: Buffer };
      generatePreKey(id: number): { readonly keyPair: KeyPair };
    };
  }
  const libsignal: Libsignal;
  export type { Bundle, KeyPair, Storage };
  export { type SessionRecord };
  export default libsignal;
}

declare module "@privacyresearch/libsignal-protocol-typescript" {
  export interface KeyPair {
    readonly pubKey: ArrayBuffer;
    readonly privKey: ArrayBuffer;
  }
  export interface Storage {
    getIdentityKeyPair(): Promise<KeyPair>;
    getLocalRegistrationId(): Promise<number>;
    isTrustedIdentity(): Promise<boolean>;
    saveIdentity(): Promise<boolean>;
    loadPreKey(): Promise<KeyPair>;
    storePreKey(): Promise<void>;
    removePreKey(): Promise<void>;
    storeSession(address: string, record: string): Promise<void>;
    loadSession(address: string): Promise<string | undefined>;
    loadSignedPreKey(): Promise<KeyPair>;
    storeSignedPreKey(): Promise<void>;
    removeSignedPreKey(): Promise<void>;
  }
  export interface Bundle {
    readonly registrationId: number;
    readonly identityKey: ArrayBuffer;
    readonly signedPreKey: { readonly keyId: number; readonly publicKey: ArrayBuffer; readonly signature: ArrayBuffer };
    readonly preKey: { readonly keyId: number; readonly publicKey: ArrayBuffer };
  }
  export class SignalProtocolAddress {
    constructor(name: string, deviceId: number);
    toString(): string;
  }
  export class SessionBuilder {
    constructor(storage: Storage, remote: SignalProtocolAddress);
    processPreKey(bundle: Bundle): Promise<unknown>;
  }
  export class SessionCipher {
    constructor(storage: Storage, remote: SignalProtocolAddress);
    encrypt(plaintext: ArrayBuffer): Promise<{ readonly type: number; readonly body?: string }>;
    decryptPreKeyWhisperMessage(message: string, encoding: "binary"): Promise<ArrayBuffer>;
    decryptWhisperMessage(message: string, encoding: "binary"): Promise<ArrayBuffer>;
  }
  export const KeyHelper: {
    generateIdentityKeyPair(): Promise<KeyPair>;
    generateSignedPreKey(identity: KeyPair, id: number): Promise<{ readonly keyPair: KeyPair; readonly signature: ArrayBuffer }>;
    generatePreKey(id: number): Promise<{ readonly keyPair: KeyPair }>;
  };
}
