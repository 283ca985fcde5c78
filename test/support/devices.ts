// Devices for tests of the protocol: identities, prekeys, and the shell's part of a conversation (load, commit,
// remember) in its simplest form. The protocol under test is the real one.

import { generateKeyPair, generateKyberKeyPair, type KeyPair, type KyberKeyPair, type Random, type Secret, sign } from "#crypto";
import {
  EMPTY_RECORD,
  initiateSession,
  type LoadedPreKeys,
  type LocalDevice,
  type Opened,
  openMessage,
  type Outcome,
  type PreKeyBundle,
  preKeysNeeded,
  sealMessage,
  type SessionMessage,
  type SessionRecord,
} from "#protocol";
import { type Bytes, type DeviceAddress, parseDeviceId, parseRegistrationId, toHex, userIdFromDigest } from "#wire";
import { seededRandom } from "./random.ts";

export const NOW_SECONDS = 1_790_000_000;

/** The address of device `deviceId` of a user that a number stands for. */
export function addressOf(user: number, deviceId = 1): DeviceAddress {
  return { userId: userIdFromDigest(seededRandom(user)(32)), deviceId: parseDeviceId(deviceId) };
}

/** One device with its private prekeys and a session record per peer. */
export class Device {
  readonly local: LocalDevice;
  readonly random: Random;
  readonly signedPreKey: KeyPair;
  readonly kyberPreKey: KyberKeyPair;
  readonly oneTimePreKeys = new Map<number, KeyPair>();
  readonly records = new Map<string, SessionRecord>();
  readonly used = new Set<string>();
  nowSeconds = NOW_SECONDS;

  constructor(address: DeviceAddress, random: Random, oneTimeKeys = 1) {
    this.random = random;
    this.local = { address, registrationId: parseRegistrationId(1 + (random(1)[0] ?? 0)), identity: generateKeyPair(random) };
    this.signedPreKey = generateKeyPair(random);
    this.kyberPreKey = generateKyberKeyPair(random);
    for (let id = 1; id <= oneTimeKeys; id++) this.oneTimePreKeys.set(id, generateKeyPair(random));
  }

  bundle(): PreKeyBundle {
    const { identity, registrationId } = this.local;
    const [oneTime] = this.oneTimePreKeys;
    return {
      registrationId,
      identityKey: identity.publicKey,
      signedPreKey: {
        id: 1,
        publicKey: this.signedPreKey.publicKey,
        signature: sign(identity.privateKey, this.signedPreKey.publicKey.encode(), this.random),
      },
      kyberPreKey: {
        id: 1,
        publicKey: this.kyberPreKey.publicKey,
        signature: sign(identity.privateKey, this.kyberPreKey.publicKey.encoded, this.random),
      },
      oneTimePreKey: oneTime === undefined ? undefined : { id: oneTime[0], publicKey: oneTime[1].publicKey },
    };
  }

  record(peer: Device): SessionRecord {
    return this.records.get(nameOf(peer)) ?? EMPTY_RECORD;
  }

  begin(peer: Device, bundle: PreKeyBundle = peer.bundle()): void {
    this.#commit(
      peer,
      accepted(initiateSession(this.record(peer), { local: this.local, bundle, nowSeconds: this.nowSeconds }, this.random)),
    );
  }

  seal(peer: Device, plaintext: Bytes): SessionMessage {
    const input = { local: this.local, remote: peer.local.address, plaintext, nowSeconds: this.nowSeconds };
    return this.#commit(peer, accepted(sealMessage(this.record(peer), input, this.random)));
  }

  /** The outcome alone: nothing is committed. */
  tryOpen(peer: Device, message: SessionMessage): Outcome<SessionRecord, Opened> {
    const preKeys = message.kind === "prekey" ? this.#load(message.bytes) : undefined;
    const input = { local: this.local, remote: peer.local.address, remoteIdentity: peer.local.identity.publicKey, message, preKeys };
    return openMessage(this.record(peer), input, this.random);
  }

  open(peer: Device, message: SessionMessage): Bytes {
    const opened = this.#commit(peer, accepted(this.tryOpen(peer, message)));
    if (opened.used !== undefined) {
      if (opened.used.preKeyId !== undefined) this.oneTimePreKeys.delete(opened.used.preKeyId);
      this.used.add(toHex(opened.used.baseKey));
    }
    return opened.plaintext;
  }

  #load(bytes: Bytes): LoadedPreKeys | undefined {
    try {
      const { preKeyId, baseKey } = preKeysNeeded(bytes);
      const oneTimePreKey = preKeyId === undefined ? undefined : this.oneTimePreKeys.get(preKeyId);
      return { signedPreKey: this.signedPreKey, kyberPreKey: this.kyberPreKey, oneTimePreKey, usedBefore: this.used.has(toHex(baseKey)) };
    } catch {
      return undefined; // not a prekey message: `openMessage` says so with a code
    }
  }

  #commit<T>(peer: Device, done: { readonly state: SessionRecord; readonly output: T; readonly spent: readonly Secret[] }): T {
    this.records.set(nameOf(peer), done.state);
    for (const secret of done.spent) secret.wipe();
    return done.output;
  }
}

function nameOf(device: Device): string {
  const { userId, deviceId } = device.local.address;
  return `${userId}.${deviceId}`;
}

/** The success of an outcome. @throws Error naming the code of a refusal: the test expected none. */
export function accepted<State, Output>(
  outcome: Outcome<State, Output>,
): { readonly state: State; readonly output: Output; readonly spent: readonly Secret[] } {
  if (outcome.kind === "refused") throw new Error(`refused: ${outcome.code}`);
  return outcome;
}

/** Two devices of different users, and a session from the first to the second that nobody used yet. */
export function pair(seed: number, oneTimeKeys = 1): { readonly alice: Device; readonly bob: Device } {
  const alice = new Device(addressOf(1), seededRandom(seed), oneTimeKeys);
  const bob = new Device(addressOf(2), seededRandom(seed + 1_000_000), oneTimeKeys);
  alice.begin(bob);
  return { alice, bob };
}
