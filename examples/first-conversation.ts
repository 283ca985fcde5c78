// Two devices hold a conversation with the library alone: no server, no store, nothing but values. Run it with Node 24:
//   node examples/first-conversation.ts
// A real program commits `state` and what it got from `output` in one transaction before it wipes `spent`.

import { generateKeyPair, generateKyberKeyPair, type Secret, sign, systemRandom, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import {
  decodeSessionRecord,
  EMPTY_RECORD,
  encodeSessionRecord,
  initiateSession,
  type LocalDevice,
  openMessage,
  type Outcome,
  preKeysNeeded,
  sealMessage,
  type SessionRecord,
} from "#protocol";
import { fromUtf8, parseDeviceId, parseRegistrationId, parseUserId, toUtf8 } from "#wire";

useBackend(nodeBackend);
const random = systemRandom;
const nowSeconds = Math.floor(Date.now() / 1000);

function newDevice(userId: string): LocalDevice {
  const address = { userId: parseUserId(userId), deviceId: parseDeviceId(1) };
  return { address, registrationId: parseRegistrationId(4711), identity: generateKeyPair(random) };
}

/** A store of one record, as bytes: what the next step reads is what the last one wrote. */
class Store {
  #bytes = encodeSessionRecord(EMPTY_RECORD);

  read(): SessionRecord {
    return decodeSessionRecord(this.#bytes);
  }

  /** Commit, then wipe, then release. */
  commit<Output>(outcome: Outcome<SessionRecord, Output>): Output {
    if (outcome.kind === "refused") throw new Error(`refused: ${outcome.code}`);
    this.#bytes = encodeSessionRecord(outcome.state);
    outcome.spent.forEach((secret: Secret) => secret.wipe());
    return outcome.output;
  }
}

// Real userIds commit to the genesis entry of an account log (identity/); these two are only well-formed.
const alice = newDevice("1a2b3c4d-0000-8000-8000-00000000aa00");
const bob = newDevice("5e6f7a8b-0000-8000-8000-00000000bb00");

// Bob publishes prekeys, signed with his identity key.
const signedPreKey = generateKeyPair(random);
const kyberPreKey = generateKyberKeyPair(random);
const bundle = {
  registrationId: bob.registrationId,
  identityKey: bob.identity.publicKey,
  signedPreKey: {
    id: 1,
    publicKey: signedPreKey.publicKey,
    signature: sign(bob.identity.privateKey, signedPreKey.publicKey.encode(), random),
  },
  kyberPreKey: {
    id: 1,
    publicKey: kyberPreKey.publicKey,
    signature: sign(bob.identity.privateKey, kyberPreKey.publicKey.encoded, random),
  },
  oneTimePreKey: undefined,
};

// Alice begins a session and writes.
const alices = new Store();
alices.commit(initiateSession(alices.read(), { local: alice, bundle, nowSeconds }, random));
const first = alices.commit(
  sealMessage(alices.read(), { local: alice, remote: bob.address, plaintext: toUtf8("hello Bob"), nowSeconds }, random),
);

// Bob loads the prekeys that the message names, and reads.
const bobs = new Store();
const { signedPreKeyId, kyberPreKeyId } = preKeysNeeded(first.bytes);
if (signedPreKeyId !== 1 || kyberPreKeyId !== 1) throw new Error("these are all the prekeys there are");
const preKeys = { signedPreKey, kyberPreKey, oneTimePreKey: undefined, usedBefore: false };
const opened = bobs.commit(
  openMessage(
    bobs.read(),
    { local: bob, remote: alice.address, remoteIdentity: alice.identity.publicKey, message: first, preKeys },
    random,
  ),
);
console.log(`Bob reads:   ${fromUtf8(opened.plaintext)}`);

// He answers, and both ratchets turn.
const answer = bobs.commit(
  sealMessage(bobs.read(), { local: bob, remote: alice.address, plaintext: toUtf8("hello Alice"), nowSeconds }, random),
);
const read = alices.commit(
  openMessage(
    alices.read(),
    { local: alice, remote: bob.address, remoteIdentity: bob.identity.publicKey, message: answer, preKeys: undefined },
    random,
  ),
);
console.log(`Alice reads: ${fromUtf8(read.plaintext)}`);
