// The process of a sender of ours. `node` or `noble` says whose primitives it uses. The sender key is read from bytes and written
// again for every message; the keys of devices that were written to before are in memory, as our client has them.

import { generateKeyPair, type KeyPair, nobleBackend, parsePublicKey, systemRandom, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { issueSenderCertificate, issueServerCertificate } from "../../identity/index.ts";
import { createSenderKey, learnSenderKey, openFromGroup, openSealed, sealForGroup, sealForMany } from "../../protocol/index.ts";
import { type Bytes, parseDistributionId, parseRegistrationId, receivedMessage, sameBytes, splitMultiRecipient } from "../../wire/index.ts";
import { serve } from "../client/remote.ts";
import { Device, PreKeys, randomAddress } from "../protocol/edgewise-device.ts";
import { type Audience, DISTRIBUTION, KIBIBYTE, NOW_MILLISECONDS, type Sender, senderOf, type Step } from "./sender.ts";

useBackend(process.argv[2] === "noble" ? nobleBackend : nodeBackend);
const distributionId = parseDistributionId(DISTRIBUTION);
const registrationId = parseRegistrationId(1);
const [trustRoot, server] = [generateKeyPair(systemRandom), generateKeyPair(systemRandom)];

serve<Sender>(senderOf(prepare));

interface Recipient {
  readonly address: ReturnType<typeof randomAddress>;
  readonly identity: KeyPair;
  readonly encodedKey: Bytes;
}

function prepare({ people, devices, areNew }: Audience): Step {
  const [writer, reader] = [new Device(new PreKeys()), new Device(new PreKeys())];
  const distribution = writer.groupStep((record) => createSenderKey(record, distributionId, systemRandom));
  reader.groupStep((record) => learnSenderKey(record, distribution));
  const recipients = Array.from({ length: people * devices }, (): Recipient => {
    const identity = generateKeyPair(systemRandom);
    return { address: randomAddress(), identity, encodedKey: identity.publicKey.encode() };
  });
  const sender = writer.local.identity;
  const senderCertificate = certificateOf(writer);
  const send = (): Bytes => {
    const content = writer.groupStep((record) => sealForGroup(record, distributionId, KIBIBYTE));
    const addressed = recipients.map(({ address, identity, encodedKey }) => ({
      address,
      registrationId,
      identityKey: areNew ? parsePublicKey(encodedKey) : identity.publicKey,
    }));
    const sealable = { sender, senderCertificate, kind: "sender-key", content, contentHint: 1, groupId: undefined } as const;
    return sealForMany({ ...sealable, recipients: addressed }, systemRandom);
  };
  requireOpens(send(), reader, recipients);
  return () => {
    send();
  };
}

function certificateOf({ local }: Device): Bytes {
  const serverCertificate = issueServerCertificate({ id: 1, serverKey: server.publicKey, trustRoot: trustRoot.privateKey }, systemRandom);
  const expiresMilliseconds = NOW_MILLISECONDS + 1000;
  const named = { device: local.address, identityKey: local.identity.publicKey, expiresMilliseconds };
  return issueSenderCertificate({ ...named, serverCertificate, serverKey: server.privateKey }, systemRandom);
}

/** What is measured is a message that its last recipient can read. */
function requireOpens(sent: Bytes, reader: Device, recipients: readonly Recipient[]): void {
  const message = splitMultiRecipient(sent);
  const [part, last] = [message.recipients.at(-1), recipients.at(-1)];
  if (part === undefined || last === undefined) throw new Error("nobody is addressed");
  const bytes = receivedMessage(message, part);
  const trust = { trustRoots: [trustRoot.publicKey], nowMilliseconds: NOW_MILLISECONDS };
  const opened = openSealed({ identity: last.identity, bytes, ...trust });
  if (opened.kind === "refused") throw new Error(`refused: ${opened.code}`);
  const plaintext = reader.groupStep((record) => openFromGroup(record, opened.content));
  if (!sameBytes(plaintext, KIBIBYTE)) throw new Error("it opens to something else");
}
