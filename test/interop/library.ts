// The official library in two versions behind one type. What differs between them is adapted here; nothing here
// knows our implementation.

import * as current from "libsignal-0103";
import CurrentSentMessage from "libsignal-0103/dist/SealedSenderMultiRecipientMessage.js";
import * as oldest from "libsignal-075";
import * as oldestSent from "libsignal-075/dist/SealedSenderMultiRecipientMessage.js";

export type Api = typeof current;
export type ProtocolAddress = current.ProtocolAddress;

type Calls = Pick<Api, "processPreKeyBundle" | "signalEncrypt" | "signalDecrypt" | "signalDecryptPreKey">;

/** Everything that both versions have alike as `api`, and the functions that take other arguments in one of them. */
export interface Library extends Calls {
  readonly version: string;
  readonly api: Omit<Api, keyof Calls>;
  readonly SentMessage: typeof CurrentSentMessage;
}

export const libsignal0103: Library = {
  version: "0.103.0",
  api: current,
  SentMessage: CurrentSentMessage,
  processPreKeyBundle: current.processPreKeyBundle,
  signalEncrypt: current.signalEncrypt,
  signalDecrypt: current.signalDecrypt,
  signalDecryptPreKey: current.signalDecryptPreKey,
};

/** The four functions as the oldest version has them: no local address, and the post-quantum ratchet is a choice. */
interface OldestCalls {
  processPreKeyBundle(
    bundle: current.PreKeyBundle,
    remote: ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    usePqRatchet: number,
    now?: Date,
  ): Promise<void>;
  signalEncrypt(
    plaintext: Uint8Array,
    remote: ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    now?: Date,
  ): Promise<current.CiphertextMessage>;
  signalDecrypt(
    message: current.SignalMessage,
    remote: ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
  ): ReturnType<Api["signalDecrypt"]>;
  signalDecryptPreKey(
    message: current.PreKeySignalMessage,
    remote: ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    preKeys: current.PreKeyStore,
    signedPreKeys: current.SignedPreKeyStore,
    kyberPreKeys: current.KyberPreKeyStore,
    usePqRatchet: number,
  ): ReturnType<Api["signalDecryptPreKey"]>;
}

// The classes are two families that the compiler must not mix, but the members that the tests use have the same names
// and arguments in both; peer.test.ts uses each of them and would fail if this were not so. The second cast restates
// the declarations of the oldest version over the classes of the current one.
const oldestApi = oldest as unknown as Api;
const oldestCalls = oldest as unknown as OldestCalls;
// A CommonJS default export, seen from a module: the declarations do not say so.
const oldestSplitter = oldestSent as unknown as { readonly default: { readonly default: typeof CurrentSentMessage } };

/** The oldest version that has the post-quantum ratchet. */
export const libsignal075: Library = {
  version: "0.75.1",
  api: oldestApi,
  SentMessage: oldestSplitter.default.default,
  processPreKeyBundle: (bundle, remote, _local, sessions, identities, now) =>
    oldestCalls.processPreKeyBundle(bundle, remote, sessions, identities, oldest.UsePQRatchet.Yes, now),
  signalEncrypt: (plaintext, remote, _local, sessions, identities, now) =>
    oldestCalls.signalEncrypt(plaintext, remote, sessions, identities, now),
  signalDecrypt: (message, remote, _local, sessions, identities) => oldestCalls.signalDecrypt(message, remote, sessions, identities),
  signalDecryptPreKey: (message, remote, _local, sessions, identities, preKeys, signedPreKeys, kyberPreKeys) =>
    oldestCalls.signalDecryptPreKey(message, remote, sessions, identities, preKeys, signedPreKeys, kyberPreKeys, oldest.UsePQRatchet.Yes),
};

export const LIBRARIES: readonly Library[] = [libsignal0103, libsignal075];
