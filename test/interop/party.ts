// What a conversation needs of its two sides, whoever they are. Everything that passes between them is plain bytes.

import type { SessionMessage } from "../../protocol/index.ts";
import type { Bytes, DeviceAddress } from "../../wire/index.ts";

/** The prekeys of a device as a server would hand them out. */
export interface Bundle {
  readonly registrationId: number;
  readonly identityKey: Bytes;
  readonly signedPreKey: SignedKey;
  readonly kyberPreKey: SignedKey;
  readonly oneTimePreKey: { readonly id: number; readonly publicKey: Bytes } | undefined;
}

export interface SignedKey {
  readonly id: number;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
}

/** Whether a bundle holds keys that are used once (one of each kind) or only those that stay. */
export type OneTimeKeys = "with one-time prekeys" | "without one-time prekeys";

/** One device, seen by its partner in a conversation of two. A refusal is a rejected promise. */
export interface Party {
  bundle(keys: OneTimeKeys): Promise<Bundle>;
  /** Begins a session, or begins anew. */
  start(bundle: Bundle): Promise<void>;
  seal(plaintext: Bytes): Promise<SessionMessage>;
  open(message: SessionMessage): Promise<Bytes>;
}

/** One device; `with` gives its view of another one. */
export interface Endpoint {
  readonly address: DeviceAddress;
  with(remote: DeviceAddress): Party;
}

const LIMIT_MILLISECONDS = 15_000;

class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The result of a peer's call, or a failure when it takes too long: the peer has been seen to stop for ever under load. */
export async function withTimeout<T>(work: Promise<T>, what: string, milliseconds = LIMIT_MILLISECONDS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NoAnswer(`${what}: no answer for ${milliseconds} ms`)), milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether something was refused. No answer at all is not a refusal, and fails the test. */
export async function isRefused(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    return true;
  }
}
