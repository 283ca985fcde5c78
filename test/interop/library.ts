// The official library in two versions behind one type. What differs between them is adapted here; nothing here
// knows our implementation.

import { createRequire } from "node:module";
import * as current from "libsignal-0103";
import CurrentSentMessage from "libsignal-0103/dist/SealedSenderMultiRecipientMessage.js";
import type * as Oldest from "libsignal-075";

export type Api = typeof current;
export type { CiphertextMessage, PreKeyBundle, PrivateKey, ProtocolAddress, SenderCertificate, SessionRecord } from "libsignal-0103";

type Calls = Pick<Api, "processPreKeyBundle" | "signalEncrypt" | "signalDecrypt" | "signalDecryptPreKey" | "sealedSenderDecryptMessage">;

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
  sealedSenderDecryptMessage: current.sealedSenderDecryptMessage,
};

/** The same functions as the oldest version has them: no local address, and the post-quantum ratchet is a choice. */
interface OldestCalls {
  processPreKeyBundle(
    bundle: current.PreKeyBundle,
    remote: current.ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    usePqRatchet: number,
    now?: Date,
  ): Promise<void>;
  signalEncrypt(
    plaintext: Uint8Array,
    remote: current.ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    now?: Date,
  ): Promise<current.CiphertextMessage>;
  signalDecrypt(
    message: current.SignalMessage,
    remote: current.ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
  ): ReturnType<Api["signalDecrypt"]>;
  signalDecryptPreKey(
    message: current.PreKeySignalMessage,
    remote: current.ProtocolAddress,
    sessions: current.SessionStore,
    identities: current.IdentityKeyStore,
    preKeys: current.PreKeyStore,
    signedPreKeys: current.SignedPreKeyStore,
    kyberPreKeys: current.KyberPreKeyStore,
    usePqRatchet: number,
  ): ReturnType<Api["signalDecryptPreKey"]>;
  sealedSenderDecryptMessage(
    ...args: [...Parameters<Api["sealedSenderDecryptMessage"]>, usePqRatchet: number]
  ): ReturnType<Api["sealedSenderDecryptMessage"]>;
}

// The oldest version is CommonJS, whose exports look different to Node and to the test runner unless they are required.
// Its classes are a family of their own that the compiler must not mix with the current ones, but the members that the
// tests use have the same names and arguments in both: peer.test.ts and the tests of each subject would fail otherwise.
const require = createRequire(import.meta.url);
const oldest = require("libsignal-075") as typeof Oldest;
const oldestApi = oldest as unknown as Api;
const oldestCalls = oldest as unknown as OldestCalls;
const oldestSent = require("libsignal-075/dist/SealedSenderMultiRecipientMessage.js") as { readonly default: typeof CurrentSentMessage };

/** The oldest version that has the post-quantum ratchet. */
export const libsignal075: Library = {
  version: "0.75.1",
  api: oldestApi,
  SentMessage: oldestSent.default,
  processPreKeyBundle: (bundle, remote, _local, sessions, identities, now) =>
    oldestCalls.processPreKeyBundle(bundle, remote, sessions, identities, oldest.UsePQRatchet.Yes, now),
  signalEncrypt: (plaintext, remote, _local, sessions, identities, now) =>
    oldestCalls.signalEncrypt(plaintext, remote, sessions, identities, now),
  signalDecrypt: (message, remote, _local, sessions, identities) => oldestCalls.signalDecrypt(message, remote, sessions, identities),
  signalDecryptPreKey: (message, remote, _local, sessions, identities, preKeys, signedPreKeys, kyberPreKeys) =>
    oldestCalls.signalDecryptPreKey(message, remote, sessions, identities, preKeys, signedPreKeys, kyberPreKeys, oldest.UsePQRatchet.Yes),
  sealedSenderDecryptMessage: (...args) => oldestCalls.sealedSenderDecryptMessage(...args, oldest.UsePQRatchet.Yes),
};

export const LIBRARIES: readonly Library[] = [libsignal0103, libsignal075];
