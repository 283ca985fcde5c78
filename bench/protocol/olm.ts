// Olm and Megolm (Matrix, WebAssembly) at the works. No signature of a prekey is verified and there is no post-quantum
// part. State is "pickled" after each operation and unpickled before the next, which is how Olm is meant to be stored.

import olmModule, { type Account, type InboundGroupSession, type OutboundGroupSession, type Session } from "@matrix-org/olm";
import { KIBIBYTE, SHORT, type Step, type Subject } from "./works.ts";

const PICKLE_KEY = "key";
const kibibyte = Buffer.from(KIBIBYTE).toString("latin1");
const short = Buffer.from(SHORT).toString("latin1");

/** What Olm can persist. */
interface Pickled {
  free(): void;
  pickle(key: string): string;
  unpickle(key: string, pickle: string): void;
}

export async function olm(): Promise<Subject> {
  await olmModule.init();
  return {
    works: {
      "session set-up": setUp,
      "one way 1 KiB": () => talk(kibibyte, false),
      "ping-pong 32 B": () => talk(short, true),
      "sender key encrypt 1 KiB": megolmEncrypt,
      "sender key encrypt+decrypt 1 KiB": megolmBoth,
    },
  };
}

/** Runs one operation on a stored object and stores what became of it. */
function stored<T extends Pickled>(make: () => T, first: string): <Output>(step: (object: T) => Output) => Output {
  let pickle = first;
  return (step) => {
    const object = make();
    object.unpickle(PICKLE_KEY, pickle);
    const output = step(object);
    pickle = object.pickle(PICKLE_KEY);
    object.free();
    return output;
  };
}

interface Keys {
  readonly account: Account;
  readonly identityKey: string;
  readonly oneTimeKey: string;
}

function makeAccount(): Keys {
  const account = new olmModule.Account();
  account.create();
  account.generate_one_time_keys(1);
  // Both are documented to be JSON of this form.
  const identity = JSON.parse(account.identity_keys()) as { readonly curve25519: string };
  const oneTime = JSON.parse(account.one_time_keys()) as { readonly curve25519: Readonly<Record<string, string>> };
  const [oneTimeKey = ""] = Object.values(oneTime.curve25519);
  return { account, identityKey: identity.curve25519, oneTimeKey };
}

/** The pickles of both ends of a session over which one message went. */
function meet(alice: Keys, bob: Keys): readonly [string, string] {
  const [ours, theirs] = [new olmModule.Session(), new olmModule.Session()];
  ours.create_outbound(alice.account, bob.identityKey, bob.oneTimeKey);
  const { type, body } = ours.encrypt(short);
  theirs.create_inbound(bob.account, body);
  if (theirs.decrypt(type, body) !== short) throw new Error("decrypted to something else");
  const pickles = [ours.pickle(PICKLE_KEY), theirs.pickle(PICKLE_KEY)] as const;
  ours.free();
  theirs.free();
  return pickles;
}

function setUp(): Step {
  const [alice, bob] = [makeAccount(), makeAccount()];
  return () => {
    meet(alice, bob);
  };
}

function talk(plaintext: string, takeTurns: boolean): Step {
  const [aliceKeys, bobKeys] = [makeAccount(), makeAccount()];
  const makeSession = (): Session => new olmModule.Session();
  const [ours, theirs] = meet(aliceKeys, bobKeys);
  let [writer, reader] = [stored(makeSession, theirs), stored(makeSession, ours)];
  const once = (): void => {
    const { type, body } = writer((session) => session.encrypt(plaintext));
    if (reader((session) => session.decrypt(type, body)) !== plaintext) throw new Error("decrypted to something else");
    if (takeTurns) [writer, reader] = [reader, writer];
  };
  once();
  return once;
}

function makeGroup(): readonly [OutboundGroupSession, InboundGroupSession] {
  const [outbound, inbound] = [new olmModule.OutboundGroupSession(), new olmModule.InboundGroupSession()];
  outbound.create();
  inbound.create(outbound.session_key());
  return [outbound, inbound];
}

function megolmEncrypt(): Step {
  const [outbound] = makeGroup();
  const writer = stored(() => new olmModule.OutboundGroupSession(), outbound.pickle(PICKLE_KEY));
  return () => {
    writer((session) => session.encrypt(kibibyte));
  };
}

function megolmBoth(): Step {
  const [outbound, inbound] = makeGroup();
  const writer = stored(() => new olmModule.OutboundGroupSession(), outbound.pickle(PICKLE_KEY));
  const reader = stored(() => new olmModule.InboundGroupSession(), inbound.pickle(PICKLE_KEY));
  return () => {
    const message = writer((session) => session.encrypt(kibibyte));
    if (reader((session) => session.decrypt(message)).plaintext !== kibibyte) throw new Error("decrypted to something else");
  };
}
