// The process of the official library: the cipher's part of each work and nothing else. Both people are in it, their sessions are
// in memory, there is no server and no file. Messages are sealed and opened whole, with sealed sender.

import { libsignal0103, type SenderCertificate } from "../../test/interop/library.ts";
import { toUtf8 } from "../../wire/index.ts";
import { Device, DEVICE_ID, NOW_MILLISECONDS, PreKeys } from "../libsignal-device.ts";
import { type CaughtUp, textOf, Usage } from "./person.ts";
import { now, serve } from "./remote.ts";

const { api } = libsignal0103;

export interface Official {
  /** Opens what was sealed before. */
  catchUp(count: number): Promise<Pick<CaughtUp, "milliseconds" | "cpuMilliseconds">>;
  /** How many milliseconds each took from plaintext to plaintext. */
  sealAndOpen(count: number): Promise<readonly number[]>;
  firstMessage(input: undefined): Promise<FirstMessage>;
}

export interface FirstMessage {
  /** Identities and one set of prekeys included. */
  readonly fromNothingMilliseconds: number;
  readonly registeredMilliseconds: number;
}

const [trustRoot, server] = [api.PrivateKey.generate(), api.PrivateKey.generate()];
const serverCertificate = api.ServerCertificate.new(1, server.getPublicKey(), trustRoot);
const root = trustRoot.getPublicKey();

serve<Official>({
  async catchUp(count) {
    const pair = await friends();
    const sealed = [];
    for (let number = 0; number < count; number++) sealed.push(await pair.seal(textOf("waits", number)));
    const start = now();
    const usage = new Usage();
    for (const message of sealed) await pair.open(message);
    const { cpuMilliseconds } = usage;
    return { milliseconds: now() - start, cpuMilliseconds };
  },
  async sealAndOpen(count) {
    const pair = await friends();
    const delays = [];
    for (let number = 0; number < count; number++) {
      const start = now();
      await pair.open(await pair.seal(textOf("hello", number)));
      delays.push(now() - start);
    }
    return delays;
  },
  async firstMessage() {
    const nothing = now();
    const [alice, bob] = [new Device(), new Device()];
    const bundle = await new PreKeys().bundle(bob);
    const registered = now();
    await alice.begin(bob, bundle);
    const pair = new Pair(alice, bob);
    await pair.open(await pair.seal(textOf("first", 0)));
    const end = now();
    return { fromNothingMilliseconds: end - nothing, registeredMilliseconds: end - registered };
  },
});

class Pair {
  readonly #alice: Device;
  readonly #bob: Device;
  readonly #certificate: SenderCertificate;

  constructor(alice: Device, bob: Device) {
    this.#alice = alice;
    this.#bob = bob;
    const identity = alice.identity.getPublicKey();
    const expires = NOW_MILLISECONDS + 1000;
    this.#certificate = api.SenderCertificate.new(alice.address.name(), null, DEVICE_ID, identity, expires, serverCertificate, server);
  }

  seal(text: string): Promise<Uint8Array<ArrayBuffer>> {
    const { sessions, identities } = this.#alice.stores;
    return api.sealedSenderEncryptMessage(toUtf8(text), this.#bob.address, this.#certificate, sessions, identities);
  }

  async open(message: Uint8Array<ArrayBuffer>): Promise<void> {
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = this.#bob.stores;
    const own = [null, this.#bob.address.name(), DEVICE_ID] as const;
    const stores = [sessions, identities, preKeys, signedPreKeys, kyberPreKeys] as const;
    await libsignal0103.sealedSenderDecryptMessage(message, root, NOW_MILLISECONDS, ...own, ...stores);
  }
}

async function friends(): Promise<Pair> {
  const [alice, bob] = [new Device(), new Device()];
  await alice.begin(bob, await new PreKeys().bundle(bob));
  await bob.open(alice, await alice.seal(bob, toUtf8("hello")));
  await alice.open(bob, await bob.seal(alice, toUtf8("hello")));
  return new Pair(alice, bob);
}
