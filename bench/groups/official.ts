// The process of the official library as a sender. Its stores hold bytes, and it reads from them what it needs for every message:
// the sender key, and each recipient's session and identity.

import { libsignal0103, type ProtocolAddress } from "../../test/interop/library.ts";
import { serve } from "../client/remote.ts";
import { Device, DEVICE_ID, PreKeys } from "../libsignal-device.ts";
import { type Audience, DISTRIBUTION, KIBIBYTE, NOW_MILLISECONDS, type Sender, senderOf, type Step } from "./sender.ts";

const { api } = libsignal0103;

serve<Sender>(senderOf(prepare));

async function prepare({ people, devices }: Audience): Promise<Step> {
  const writer = new Device();
  const { senderKeys, identities: identityStore, sessions: sessionStore } = writer.stores;
  await api.SenderKeyDistributionMessage.create(writer.address, DISTRIBUTION, senderKeys);
  const certificate = certificateOf(writer);
  const recipients: ProtocolAddress[] = [];
  const preKeys = new PreKeys();
  for (let person = 0; person < people; person++) recipients.push(...(await meet(writer, preKeys, devices)));
  return async () => {
    const message = await api.groupEncrypt(writer.address, DISTRIBUTION, senderKeys, KIBIBYTE);
    const content = api.UnidentifiedSenderMessageContent.new(message, certificate, 1, null);
    await api.sealedSenderMultiRecipientEncrypt({ content, recipients, identityStore, sessionStore });
  };
}

/** A session with each device of one person. */
async function meet(writer: Device, preKeys: PreKeys, devices: number): Promise<readonly ProtocolAddress[]> {
  const person = new Device();
  const bundle = await preKeys.bundle(person);
  const addresses = Array.from({ length: devices }, (_, i) => api.ProtocolAddress.new(person.address.name(), DEVICE_ID + i));
  const { sessions, identities } = writer.stores;
  for (const address of addresses) {
    await libsignal0103.processPreKeyBundle(bundle, address, writer.address, sessions, identities);
  }
  return addresses;
}

function certificateOf(writer: Device): ReturnType<typeof api.SenderCertificate.new> {
  const [trustRoot, server] = [api.PrivateKey.generate(), api.PrivateKey.generate()];
  const serverCertificate = api.ServerCertificate.new(1, server.getPublicKey(), trustRoot);
  const expires = NOW_MILLISECONDS + 1000;
  const identity = writer.identity.getPublicKey();
  return api.SenderCertificate.new(writer.address.name(), null, DEVICE_ID, identity, expires, serverCertificate, server);
}
