// The official library at the works.

import {
  type CiphertextMessage,
  libsignal0103,
  type PreKeyBundle,
  type PrivateKey,
  type ProtocolAddress,
  type SenderCertificate,
  type SessionRecord,
} from "../../test/interop/library.ts";
import type { Bytes } from "../../wire/index.ts";
import { Device, DEVICE_ID, NOW_MILLISECONDS, PreKeys } from "../libsignal-device.ts";
import { KIBIBYTE, RECIPIENTS, requireEqual, SHORT, type Step, STRANGERS, type Subject } from "./works.ts";

const { api } = libsignal0103;
const DISTRIBUTION = "d1d1d1d1-7000-4000-8000-0123456789ab";

export const libsignalClient: Subject = {
  works: {
    "session set-up": setUp,
    "one way 1 KiB": oneWay,
    "ping-pong 32 B": pingPong,
    "sender key encrypt 1 KiB": senderKeyEncrypt,
    "sender key encrypt+decrypt 1 KiB": senderKeyBoth,
    "sealed v1 encrypt": sealedEncrypt,
    "sealed v1 decrypt": sealedDecrypt,
    "sealed v2 10 recipients": sealedMany,
  },
};

async function setUp(): Promise<Step> {
  const preKeys = new PreKeys();
  const strangers = Array.from({ length: STRANGERS }, () => new Device());
  const bundles = new Map<Device, PreKeyBundle>();
  for (const stranger of strangers) bundles.set(stranger, await preKeys.bundle(stranger));
  let turn = 0;
  return async () => {
    const [alice, bob] = [strangers[turn % STRANGERS], strangers[(turn + STRANGERS / 2) % STRANGERS]];
    const bundle = bob === undefined ? undefined : bundles.get(bob);
    if (alice === undefined || bob === undefined || bundle === undefined) throw new RangeError("no such stranger");
    turn++;
    alice.forgetSessions(new OneSession());
    bob.forgetSessions(new OneSession());
    await alice.begin(bob, bundle);
    requireEqual(await bob.open(alice, await alice.seal(bob, SHORT)), SHORT);
  };
}

/** A store that is cheap to make anew, for a device with one peer. */
class OneSession extends api.SessionStore {
  #record: Bytes | undefined;
  override async saveSession(_address: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.#record = record.serialize();
  }
  override async getSession(): Promise<SessionRecord | null> {
    return this.#record === undefined ? null : api.SessionRecord.deserialize(this.#record);
  }
  override async getExistingSessions(): Promise<never> {
    throw new Error("not asked for in these works");
  }
}

async function friends(): Promise<readonly [Device, Device]> {
  const [alice, bob] = [new Device(), new Device()];
  await alice.begin(bob, await new PreKeys().bundle(bob));
  await bob.open(alice, await alice.seal(bob, SHORT));
  await alice.open(bob, await bob.seal(alice, SHORT));
  return [alice, bob];
}

async function oneWay(): Promise<Step> {
  const [alice, bob] = await friends();
  return async () => requireEqual(await bob.open(alice, await alice.seal(bob, KIBIBYTE)), KIBIBYTE);
}

async function pingPong(): Promise<Step> {
  let [writer, reader] = await friends();
  return async () => {
    requireEqual(await reader.open(writer, await writer.seal(reader, SHORT)), SHORT);
    [writer, reader] = [reader, writer];
  };
}

async function group(): Promise<readonly [Device, Device]> {
  const [writer, reader] = [new Device(), new Device()];
  const distribution = await api.SenderKeyDistributionMessage.create(writer.address, DISTRIBUTION, writer.stores.senderKeys);
  await api.processSenderKeyDistributionMessage(writer.address, distribution, reader.stores.senderKeys);
  return [writer, reader];
}

async function senderKeyEncrypt(): Promise<Step> {
  const [writer] = await group();
  return async () => {
    (await api.groupEncrypt(writer.address, DISTRIBUTION, writer.stores.senderKeys, KIBIBYTE)).serialize();
  };
}

async function senderKeyBoth(): Promise<Step> {
  const [writer, reader] = await group();
  return async () => {
    const message = await api.groupEncrypt(writer.address, DISTRIBUTION, writer.stores.senderKeys, KIBIBYTE);
    requireEqual(await api.groupDecrypt(writer.address, reader.stores.senderKeys, message.serialize()), KIBIBYTE);
  };
}

interface Sealing {
  readonly trustRoot: PrivateKey;
  readonly certificate: SenderCertificate;
  readonly sender: Device;
  readonly recipient: Device;
  /** Holds about a kibibyte. */
  readonly message: CiphertextMessage;
}

async function sealing(): Promise<Sealing> {
  const [trustRoot, server] = [api.PrivateKey.generate(), api.PrivateKey.generate()];
  const [sender, recipient] = await friends();
  const serverCertificate = api.ServerCertificate.new(1, server.getPublicKey(), trustRoot);
  const certificate = api.SenderCertificate.new(
    sender.address.name(),
    null,
    DEVICE_ID,
    sender.identity.getPublicKey(),
    NOW_MILLISECONDS + 1000,
    serverCertificate,
    server,
  );
  return { trustRoot, certificate, sender, recipient, message: await sender.seal(recipient, KIBIBYTE.subarray(0, 900)) };
}

async function sealedEncrypt(): Promise<Step> {
  const { certificate, sender, recipient, message } = await sealing();
  return async () => {
    const content = api.UnidentifiedSenderMessageContent.new(message, certificate, 0, null);
    await api.sealedSenderEncrypt(content, recipient.address, sender.stores.identities);
  };
}

async function sealedDecrypt(): Promise<Step> {
  const { trustRoot, certificate, sender, recipient, message } = await sealing();
  const content = api.UnidentifiedSenderMessageContent.new(message, certificate, 0, null);
  const sealed = await api.sealedSenderEncrypt(content, recipient.address, sender.stores.identities);
  const root = trustRoot.getPublicKey();
  return async () => {
    const opened = await api.sealedSenderDecryptToUsmc(sealed, recipient.stores.identities);
    if (!opened.senderCertificate().validate(root, NOW_MILLISECONDS)) throw new Error("not valid");
    opened.contents();
  };
}

async function sealedMany(): Promise<Step> {
  const { certificate, sender, message } = await sealing();
  const recipients = Array.from({ length: RECIPIENTS }, () => new Device());
  const preKeys = new PreKeys();
  for (const recipient of recipients) await sender.begin(recipient, await preKeys.bundle(recipient));
  const addresses = recipients.map(({ address }) => address);
  const { identities: identityStore, sessions: sessionStore } = sender.stores;
  return async () => {
    const content = api.UnidentifiedSenderMessageContent.new(message, certificate, 0, null);
    await api.sealedSenderMultiRecipientEncrypt({ content, recipients: addresses, identityStore, sessionStore });
  };
}
