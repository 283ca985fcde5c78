// Our own implementation at the works, on either backend. State is kept as bytes: each operation decodes what it needs
// and encodes what it changed. Identities stay in memory, as they do for the other subjects.

import { generateKeyPair, type KeyPair, nobleBackend, systemRandom, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { issueSenderCertificate, issueServerCertificate } from "../../identity/index.ts";
import {
  createSenderKey,
  learnSenderKey,
  openFromGroup,
  openSealed,
  sealForGroup,
  sealForMany,
  type SealForOne,
  sealForOne,
} from "../../protocol/index.ts";
import { type Bytes, parseDistributionId, parseRegistrationId } from "../../wire/index.ts";
import type { Bundle } from "../../test/interop/party.ts";
import { Device, PreKeys, randomAddress } from "./edgewise-device.ts";
import { KIBIBYTE, RECIPIENTS, requireEqual, SHORT, type Step, STRANGERS, type Subject } from "./works.ts";

const DISTRIBUTION = parseDistributionId("d1d1d1d1-7000-4000-8000-0123456789ab");
const NOW_MILLISECONDS = 1_790_000_000_000;

export function edgewise(backend: "node" | "noble"): Subject {
  useBackend(backend === "node" ? nodeBackend : nobleBackend);
  return {
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
}

function setUp(): Step {
  const preKeys = new PreKeys();
  const strangers = Array.from({ length: STRANGERS }, () => new Device(preKeys));
  const bundles = new Map<Device, Bundle>(strangers.map((stranger) => [stranger, stranger.bundle()]));
  let turn = 0;
  return () => {
    const [alice, bob] = [strangers[turn % STRANGERS], strangers[(turn + STRANGERS / 2) % STRANGERS]];
    const bundle = bob === undefined ? undefined : bundles.get(bob);
    if (alice === undefined || bob === undefined || bundle === undefined) throw new RangeError("no such stranger");
    turn++;
    alice.forget();
    bob.forget();
    alice.begin(bundle);
    requireEqual(bob.open(alice, alice.seal(bob, SHORT)), SHORT);
  };
}

function friends(): readonly [Device, Device] {
  const preKeys = new PreKeys();
  const [alice, bob] = [new Device(preKeys), new Device(preKeys)];
  alice.begin(bob.bundle());
  bob.open(alice, alice.seal(bob, SHORT));
  alice.open(bob, bob.seal(alice, SHORT));
  return [alice, bob];
}

function oneWay(): Step {
  const [alice, bob] = friends();
  return () => requireEqual(bob.open(alice, alice.seal(bob, KIBIBYTE)), KIBIBYTE);
}

/** One operation is one message, and each answers the one before. */
function pingPong(): Step {
  let [writer, reader] = friends();
  return () => {
    requireEqual(reader.open(writer, writer.seal(reader, SHORT)), SHORT);
    [writer, reader] = [reader, writer];
  };
}

function group(): readonly [Device, Device] {
  const preKeys = new PreKeys();
  const [writer, reader] = [new Device(preKeys), new Device(preKeys)];
  const distribution = writer.groupStep((record) => createSenderKey(record, DISTRIBUTION, systemRandom));
  reader.groupStep((record) => learnSenderKey(record, distribution));
  return [writer, reader];
}

function senderKeyEncrypt(): Step {
  const [writer] = group();
  return () => {
    writer.groupStep((record) => sealForGroup(record, DISTRIBUTION, KIBIBYTE));
  };
}

function senderKeyBoth(): Step {
  const [writer, reader] = group();
  return () => {
    const message = writer.groupStep((record) => sealForGroup(record, DISTRIBUTION, KIBIBYTE));
    requireEqual(
      reader.groupStep((record) => openFromGroup(record, message)),
      KIBIBYTE,
    );
  };
}

interface Sealing {
  readonly trustRoot: KeyPair;
  readonly recipient: KeyPair;
  readonly sealable: SealForOne;
}

function sealing(): Sealing {
  const [trustRoot, server, sender, recipient] = [keyPair(), keyPair(), keyPair(), keyPair()];
  const serverCertificate = issueServerCertificate({ id: 1, serverKey: server.publicKey, trustRoot: trustRoot.privateKey }, systemRandom);
  const senderCertificate = issueSenderCertificate(
    {
      device: randomAddress(),
      identityKey: sender.publicKey,
      expiresMilliseconds: NOW_MILLISECONDS + 1000,
      serverCertificate,
      serverKey: server.privateKey,
    },
    systemRandom,
  );
  const content: Bytes = KIBIBYTE;
  const sealable: SealForOne = {
    sender,
    senderCertificate,
    recipient: recipient.publicKey,
    kind: "message",
    content,
    contentHint: 0,
    groupId: undefined,
  };
  return { trustRoot, recipient, sealable };
}

function keyPair(): KeyPair {
  return generateKeyPair(systemRandom);
}

function sealedEncrypt(): Step {
  const { sealable } = sealing();
  return () => {
    sealForOne(sealable, systemRandom);
  };
}

function sealedDecrypt(): Step {
  const { trustRoot, recipient, sealable } = sealing();
  const bytes = sealForOne(sealable, systemRandom);
  const input = { identity: recipient, bytes, trustRoots: [trustRoot.publicKey], nowMilliseconds: NOW_MILLISECONDS };
  return () => {
    const opened = openSealed(input);
    if (opened.kind === "refused") throw new Error(`refused: ${opened.code}`);
    requireEqual(opened.content, KIBIBYTE);
  };
}

function sealedMany(): Step {
  const { sealable } = sealing();
  const recipients = Array.from({ length: RECIPIENTS }, () => ({
    address: randomAddress(),
    registrationId: parseRegistrationId(1),
    identityKey: keyPair().publicKey,
  }));
  return () => {
    sealForMany({ ...sealable, recipients }, systemRandom);
  };
}
