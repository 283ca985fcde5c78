// Arbitrary valid values of every format of wire/, and every format as a pair of functions, for properties that hold
// of all of them.

import fc from "fast-check";
import {
  type Body,
  type Bytes,
  type ClientFrame,
  type Content,
  concat,
  type ContentCopy,
  decodeClientFrame,
  decodeContent,
  decodeContentCopy,
  decodeDecryptionErrorMessage,
  decodeEnvelope,
  decodeGroupEntry,
  decodeGroupState,
  decodeGroupStatement,
  decodeJoinRequest,
  decodeGroupAppend,
  decodeGroupEntries,
  decodeHistoryMessage,
  decodeNotice,
  decodePlaintextContent,
  decodePreKeySignalMessage,
  decodeScannableFingerprint,
  decodeSealedContent,
  decodeSealedMessage,
  decodeSendRequest,
  decodeSenderCertificate,
  decodeSenderKeyDistributionMessage,
  decodeSenderKeyMessage,
  decodeServerCertificate,
  decodeServerFrame,
  decodeSignalMessage,
  type DecryptionErrorMessage,
  encodeAddresses,
  encodeClientFrame,
  encodeContent,
  encodeContentCopy,
  encodeDecryptionErrorMessage,
  encodeEnvelope,
  encodeGroupEntry,
  encodeGroupState,
  encodeGroupStatement,
  encodeJoinRequest,
  encodeGroupAppend,
  encodeGroupEntries,
  encodeHistoryMessage,
  encodeMultiRecipient,
  encodeNotice,
  encodePlaintextContent,
  encodePreKeySignalMessage,
  encodeScannableFingerprint,
  encodeSealedContent,
  encodeSealedV1,
  encodeSealedV2,
  encodeSendRequest,
  encodeSenderCertificateFields,
  encodeSenderKeyDistributionMessage,
  encodeSenderKeyMessage,
  encodeServerCertificateFields,
  encodeServerFrame,
  encodeSignalMessage,
  encodeSigned,
  type Envelope,
  type GroupInvite,
  type GroupState,
  type GroupStatement,
  isGroupTitle,
  type JoinRequest,
  type GroupAppend,
  type GroupEntries,
  type HistoryMessage,
  type MediaPointer,
  type MultiRecipient,
  type Notice,
  parseDeviceId,
  parseDistributionId,
  parseGroupId,
  parseMediaId,
  parseMessageId,
  parseRegistrationId,
  parseRendezvousId,
  parseUsername,
  type PreKeySignalMessageFields,
  type Reference,
  type ScannableFingerprint,
  type SealedContent,
  type SealedV1,
  type SenderCertificateFields,
  type SenderKeyDistributionMessageFields,
  type SenderKeyMessageFields,
  type SendRequest,
  type ServerCertificateFields,
  type ServerFrame,
  serviceIdOfDevice,
  type SignalMessageFields,
  type SignedGroupEntry,
  splitMultiRecipient,
  toHex,
  userIdFromDigest,
  uuidFromBytes,
  WireError,
  type WireCode,
} from "#wire";

/** The code of the WireError that `decode` throws, or "accepted". Any other exception passes through. */
export function outcome(decode: () => unknown): WireCode | "accepted" {
  try {
    decode();
    return "accepted";
  } catch (error) {
    if (error instanceof WireError && error.message === error.code) return error.code;
    throw error;
  }
}

export function bytesOf(minLength: number, maxLength: number = minLength): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => new Uint8Array(bytes));
}

const uint32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }));
const safeInteger = fc.oneof(fc.nat(300), fc.maxSafeNat());
const positive = safeInteger.map((value) => Math.max(1, value));
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const wellFormed = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength }).filter((text) => text.isWellFormed());

const deviceId = fc.integer({ min: 1, max: 127 }).map(parseDeviceId);
const registrationId = fc.nat(0x3fff).map(parseRegistrationId);
const userId = bytesOf(32).map(userIdFromDigest);
export const deviceAddress = fc.record({ userId, deviceId });
const serviceId = deviceAddress.map(serviceIdOfDevice);
const messageId = bytesOf(16).map((bytes) => parseMessageId(uuidFromBytes(bytes)));
const distributionId = bytesOf(16).map((bytes) => parseDistributionId(uuidFromBytes(bytes)));
const groupId = bytesOf(32).map((bytes) => parseGroupId(toHex(bytes)));
const mediaId = bytesOf(32).map((bytes) => parseMediaId(toHex(bytes)));
const rendezvousId = bytesOf(32).map((bytes) => parseRendezvousId(toHex(bytes)));
const publicKey = bytesOf(33);

// Signal's messages

export const signalMessage: fc.Arbitrary<SignalMessageFields> = fc.record({
  ratchetKey: publicKey,
  counter: uint32,
  previousCounter: uint32,
  ciphertext: bytesOf(0, 80),
  pqRatchet: maybe(bytesOf(1, 41)),
  addresses: maybe(fc.tuple(deviceAddress, deviceAddress).map(([sender, recipient]) => encodeAddresses(sender, recipient))),
});

export const preKeySignalMessage: fc.Arbitrary<PreKeySignalMessageFields> = fc.record({
  preKeyId: maybe(uint32),
  baseKey: publicKey,
  identityKey: publicKey,
  message: bytesOf(0, 60),
  registrationId,
  signedPreKeyId: uint32,
  kyberPreKeyId: uint32,
  kyberCiphertext: bytesOf(1569),
});

export const senderKeyMessage: fc.Arbitrary<SenderKeyMessageFields> = fc.record({
  distributionId,
  chainId: uint32,
  iteration: uint32,
  ciphertext: bytesOf(0, 60),
});

export const senderKeyDistribution: fc.Arbitrary<SenderKeyDistributionMessageFields> = fc.record({
  distributionId,
  chainId: uint32,
  iteration: uint32,
  chainKey: bytesOf(32),
  signingKey: publicKey,
});

export const decryptionError: fc.Arbitrary<DecryptionErrorMessage> = fc.record({
  ratchetKey: maybe(publicKey),
  timestamp: safeInteger,
  deviceId,
});

export const serverCertificate: fc.Arbitrary<ServerCertificateFields> = fc.record({ id: uint32, key: publicKey });

export const senderCertificate: fc.Arbitrary<SenderCertificateFields> = fc.record({
  sender: serviceId,
  deviceId,
  expires: safeInteger,
  identityKey: publicKey,
  signer: fc.oneof(
    fc.record({ kind: fc.constant("embedded" as const), certificate: bytesOf(0, 60) }),
    fc.record({ kind: fc.constant("known" as const), id: uint32 }),
  ),
});

export const sealedContent: fc.Arbitrary<SealedContent> = fc.record({
  kind: fc.constantFrom("message", "prekey", "sender-key", "plaintext"),
  senderCertificate: bytesOf(0, 40),
  content: bytesOf(0, 40),
  contentHint: fc.oneof(fc.nat(2), uint32),
  groupId: maybe(bytesOf(0, 32)),
});

export const sealedV1: fc.Arbitrary<SealedV1> = fc.record({
  ephemeralPublic: publicKey,
  encryptedStatic: bytesOf(0, 50),
  encryptedMessage: bytesOf(0, 50),
});

export const scannable: fc.Arbitrary<ScannableFingerprint> = fc.record({ version: uint32, local: bytesOf(32), remote: bytesOf(32) });

const recipient = fc.record({ serviceId, registrationId, maskedKey: bytesOf(32), senderTag: bytesOf(16) });

export const multiRecipient: fc.Arbitrary<MultiRecipient> = fc
  .record({
    all: fc.uniqueArray(fc.tuple(recipient, fc.boolean()), { selector: ([entry]) => entry.serviceId, maxLength: 6 }),
    tail: bytesOf(48, 90),
  })
  .map(({ all, tail }) => ({
    recipients: all.flatMap(([entry, included]) => (included ? [entry] : [])),
    excluded: all.flatMap(([entry, included]) => (included ? [] : [entry.serviceId])),
    tail,
  }));

// Our own formats

const envelope: fc.Arbitrary<Envelope> = fc.record({
  messageId,
  type: fc.constantFrom("sealed", "notice"),
  content: bytesOf(1, 60),
  ephemeral: fc.boolean(),
});

const devices = fc.array(fc.record({ deviceId, registrationId, content: bytesOf(1, 30) }), { maxLength: 6 });

const sendRequest: fc.Arbitrary<SendRequest> = fc.record({
  messageId,
  scope: fc.constantFrom("all", "some"),
  devices,
  ephemeral: fc.boolean(),
});

const notice: fc.Arbitrary<Notice> = fc.record({
  notice: fc.oneof(
    fc.record({ kind: fc.constant("log-changed" as const) }),
    fc.record({ kind: fc.constant("link-requested" as const), rendezvousId, commitment: bytesOf(32) }),
    fc.record({ kind: fc.constant("device-dropped" as const), deviceId }),
  ),
});

const serverFrame: fc.Arbitrary<ServerFrame> = fc.record({
  frame: fc.oneof(
    fc.record({ kind: fc.constant("deliver" as const), guid: positive, envelope, serverTimestamp: positive }),
    fc.record({ kind: fc.constant("queue-empty" as const) }),
    fc.record({ kind: fc.constant("pre-keys-low" as const), keys: fc.constantFrom("ec" as const, "kem" as const), remaining: uint32 }),
  ),
});

const clientFrame: fc.Arbitrary<ClientFrame> = fc.record({
  frame: fc.oneof(
    fc.record({ kind: fc.constant("ack" as const), guids: fc.array(safeInteger, { maxLength: 256 }) }),
    fc.record({ kind: fc.constant("send-ephemeral" as const), userId, capability: maybe(bytesOf(16)), devices }),
  ),
});

const reference: fc.Arbitrary<Reference> = fc.record({ author: userId, messageId });

const mediaPointer: fc.Arbitrary<MediaPointer> = fc.record({
  mediaId,
  accessSecret: bytesOf(32),
  key: bytesOf(32),
  digest: bytesOf(32),
  size: safeInteger,
  mime: wellFormed(20),
  name: wellFormed(20),
  width: uint32,
  height: uint32,
  thumbhash: bytesOf(0, 30),
  contentDigest: maybe(bytesOf(32)),
});

const sync = fc.oneof(
  fc.record({ kind: fc.constant("sent" as const), content: bytesOf(1, 60) }),
  fc.record({ kind: fc.constant("read" as const), messages: fc.array(reference, { maxLength: 4 }) }),
  fc.record({
    kind: fc.constant("contact" as const),
    userId,
    state: fc.constantFrom("accepted" as const, "blocked" as const, "unblocked" as const, "verified" as const),
    decidedMilliseconds: safeInteger,
    username: maybe(fc.stringMatching(/^[a-z0-9_][a-z0-9_.]{2,31}$/).map(parseUsername)),
    name: wellFormed(20),
    ourSecret: maybe(bytesOf(32)),
    theirSecret: maybe(bytesOf(32)),
    verifiedLength: maybe(fc.integer({ min: 1, max: 4160 })),
    avatar: maybe(mediaPointer),
  }),
  fc.record({ kind: fc.constant("device-name" as const), deviceId, name: wellFormed(20) }),
  fc.record({
    kind: fc.constant("profile" as const),
    name: wellFormed(20),
    changedMilliseconds: safeInteger,
    avatar: maybe(mediaPointer),
    avatarChangedMilliseconds: safeInteger,
  }),
  fc.record({
    kind: fc.constant("history" as const),
    archiveId: bytesOf(16),
    state: fc.constantFrom("coming" as const, "ready" as const, "withdrawn" as const, "taken" as const),
    messages: uint32,
    files: fc.array(mediaPointer, { maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant("settings" as const),
    readReceipts: fc.boolean(),
    typing: fc.boolean(),
    presence: fc.boolean(),
    readReceiptsChanged: safeInteger,
    typingChanged: safeInteger,
    presenceChanged: safeInteger,
  }),
  fc.record({
    kind: fc.constant("group" as const),
    state: bytesOf(1, 60),
    groupSecret: bytesOf(32),
    adminSecret: maybe(bytesOf(32)),
    introduced: fc.boolean(),
  }),
);

const body: fc.Arbitrary<Body> = fc.oneof(
  fc.record({
    kind: fc.constant("text" as const),
    text: wellFormed(60),
    replyTo: maybe(reference),
    attachments: fc.array(mediaPointer, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("edit" as const), messageId, text: wellFormed(60) }),
  fc.record({ kind: fc.constant("delete" as const), messageId }),
  fc.record({ kind: fc.constant("reaction" as const), target: reference, emoji: wellFormed(8) }),
  fc.record({
    kind: fc.constant("receipt" as const),
    receipt: fc.constantFrom("delivered" as const, "read" as const),
    messageIds: fc.array(messageId, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("typing" as const), on: fc.boolean() }),
  fc.record({ kind: fc.constant("presence-query" as const), leaseSeconds: fc.integer({ min: 1, max: 600 }) }),
  fc.record({ kind: fc.constant("presence-answer" as const), online: fc.boolean() }),
  fc.record({ kind: fc.constant("profile" as const), name: wellFormed(20), avatar: maybe(mediaPointer) }),
  fc.record({
    kind: fc.constant("group-change" as const),
    groupId,
    version: positive,
    stateHash: bytesOf(32),
    groupSecret: maybe(bytesOf(32)),
  }),
  fc.record({ kind: fc.constant("group-join" as const), request: bytesOf(1, 160) }),
  fc.record({ kind: fc.constant("sender-key" as const), groupId, distribution: bytesOf(1, 120) }),
  fc.record({ kind: fc.constant("decryption-error" as const), error: bytesOf(1, 60) }),
  fc.record({ kind: fc.constant("accept" as const), deliverySecret: bytesOf(32) }),
  fc.record({ kind: fc.constant("sync" as const), sync }),
  fc.record({ kind: fc.constant("nothing" as const) }),
);

const logHead = fc.record({ length: fc.integer({ min: 1, max: 0xffff_ffff }), hash: bytesOf(32) });

const position = fc.oneof(
  fc.record({ counter: fc.constant(1), previousHash: fc.constant(undefined) }),
  fc.record({ counter: positive.map((value) => Math.max(2, value)), previousHash: bytesOf(32) }),
);

export const content: fc.Arbitrary<Content> = fc.record({
  sender: serviceId,
  senderHead: logHead,
  conversation: fc.oneof(
    fc.record({ kind: fc.constant("direct" as const), recipient: userId, recipientHead: logHead }),
    fc.record({ kind: fc.constant("group" as const), groupId, version: positive, stateHash: bytesOf(32) }),
  ),
  position: maybe(position),
  messageId,
  sentAt: positive,
  body,
});

const contentCopy: fc.Arbitrary<ContentCopy> = fc.record({ recipientDevice: maybe(deviceId), content: bytesOf(1, 60) });

const positive32 = uint32.map((value) => Math.max(1, value));
const groupTitle = wellFormed(20).filter(isGroupTitle);

const groupEntry: fc.Arbitrary<SignedGroupEntry> = fc.record({
  statement: bytesOf(1, 60),
  signature: bytesOf(64),
  snapshot: maybe(bytesOf(1, 60)),
});

const groupStatement: fc.Arbitrary<GroupStatement> = fc
  .record({
    groupId: maybe(groupId),
    version: positive32.map((value) => Math.max(2, value)),
    previousHead: bytesOf(32),
    createdSeconds: positive,
    signer: serviceId,
    signerHead: logHead,
    type: positive32,
    details: bytesOf(0, 60),
  })
  .map((statement) => (statement.groupId === undefined ? { ...statement, version: 1, previousHead: undefined } : statement));

const groupInvite: fc.Arbitrary<GroupInvite> = fc.record({
  kind: fc.constant("invite"),
  inviteId: bytesOf(16),
  sealedSecret: bytesOf(56),
  uses: positive32,
  expiresSeconds: positive,
  approval: fc.boolean(),
});

const groupState: fc.Arbitrary<GroupState> = fc.record({
  groupId,
  version: positive32,
  head: bytesOf(32),
  epoch: uint32,
  title: groupTitle,
  avatar: maybe(mediaPointer),
  members: fc.array(fc.record({ userId, role: fc.constantFrom("admin", "member"), logLength: positive32 }), { maxLength: 4 }),
  groupCommitment: bytesOf(32),
  adminCommitment: bytesOf(32),
  invites: fc.array(groupInvite, { maxLength: 2 }),
  rotationDue: fc.boolean(),
});

const joinRequest: fc.Arbitrary<JoinRequest> = fc.record({ groupId, inviteId: bytesOf(16), userId, proof: bytesOf(32) });

const version = fc.integer({ min: 1, max: 0xffff_ffff });

const groupAppend: fc.Arbitrary<GroupAppend> = fc.record({
  version,
  entry: bytesOf(1, 60),
  signer: publicKey,
  signature: bytesOf(64),
  authority: fc.oneof(
    fc.record({ kind: fc.constant("admin" as const), keys: maybe(fc.record({ memberKey: publicKey, adminKey: publicKey })) }),
    fc.record({ kind: fc.constant("member" as const) }),
  ),
});

const groupEntries: fc.Arbitrary<GroupEntries> = fc.record({
  entries: fc.array(fc.record({ version, entry: bytesOf(1, 40) }), { maxLength: 4 }),
  latest: version,
});

/** A format with its value type forgotten: valid encodings, and the decoder that takes them. */
export interface Format {
  readonly name: string;
  readonly valid: fc.Arbitrary<Bytes>;
  readonly decode: (bytes: Bytes) => unknown;
}

/** One of our own: its decoder's answers can be encoded again. */
export interface OwnFormat extends Format {
  readonly again: (bytes: Bytes) => Bytes;
  /** A decoded value compared with the one that was encoded. */
  readonly pair: fc.Arbitrary<readonly [value: unknown, bytes: Bytes]>;
}

function own<T>(name: string, values: fc.Arbitrary<T>, encode: (value: T) => Bytes, decode: (bytes: Bytes) => T): OwnFormat {
  return {
    name,
    valid: values.map(encode),
    decode,
    again: (bytes) => encode(decode(bytes)),
    pair: values.map((value) => [value, encode(value)] as const),
  };
}

const historyMessage: fc.Arbitrary<HistoryMessage> = fc.record({
  messageId,
  author: userId,
  sentAt: safeInteger,
  state: fc.constantFrom("sent" as const, "delivered" as const, "read" as const, "received" as const),
  text: wellFormed(40),
  replyTo: maybe(reference),
  edits: fc.array(fc.record({ text: wellFormed(20), sentAt: safeInteger }), { maxLength: 2 }),
  editedAt: safeInteger,
  deleted: fc.boolean(),
  reactions: fc.array(fc.record({ by: userId, emoji: wellFormed(4), sentAt: safeInteger }), { maxLength: 2 }),
  gapBefore: fc.boolean(),
  announced: fc.boolean(),
  seen: fc.boolean(),
  receipts: fc.array(fc.record({ by: userId, state: fc.constantFrom("delivered" as const, "read" as const) }), { maxLength: 2 }),
  attachments: fc.array(mediaPointer, { maxLength: 2 }),
  conversation: fc.oneof(
    fc.record({ kind: fc.constant("person" as const), userId }),
    fc.record({ kind: fc.constant("group" as const), groupId }),
  ),
});

export const OWN_FORMATS: readonly OwnFormat[] = [
  own("Envelope", envelope, encodeEnvelope, decodeEnvelope),
  own("SendRequest", sendRequest, encodeSendRequest, decodeSendRequest),
  own("Notice", notice, encodeNotice, decodeNotice),
  own("ServerFrame", serverFrame, encodeServerFrame, decodeServerFrame),
  own("ClientFrame", clientFrame, encodeClientFrame, decodeClientFrame),
  own("ContentCopy", contentCopy, encodeContentCopy, decodeContentCopy),
  own("Content", content, encodeContent, decodeContent),
  own("GroupEntry", groupEntry, encodeGroupEntry, decodeGroupEntry),
  own("GroupStatement", groupStatement, encodeGroupStatement, decodeGroupStatement),
  own("GroupState", groupState, encodeGroupState, decodeGroupState),
  own("JoinRequest", joinRequest, encodeJoinRequest, decodeJoinRequest),
  own("GroupAppend", groupAppend, encodeGroupAppend, decodeGroupAppend),
  own("GroupEntries", groupEntries, encodeGroupEntries, decodeGroupEntries),
  own("HistoryMessage", historyMessage, encodeHistoryMessage, decodeHistoryMessage),
];

const SIGNATURE = new Uint8Array(64).fill(0x5a);
const MAC = new Uint8Array(8).fill(0x5a);

export const SIGNAL_FORMATS: readonly Format[] = [
  { name: "SignalMessage", valid: signalMessage.map((fields) => concat(encodeSignalMessage(fields), MAC)), decode: decodeSignalMessage },
  { name: "PreKeySignalMessage", valid: preKeySignalMessage.map(encodePreKeySignalMessage), decode: decodePreKeySignalMessage },
  {
    name: "SenderKeyMessage",
    valid: senderKeyMessage.map((fields) => concat(encodeSenderKeyMessage(fields), SIGNATURE)),
    decode: decodeSenderKeyMessage,
  },
  {
    name: "SenderKeyDistributionMessage",
    valid: senderKeyDistribution.map(encodeSenderKeyDistributionMessage),
    decode: decodeSenderKeyDistributionMessage,
  },
  { name: "DecryptionErrorMessage", valid: decryptionError.map(encodeDecryptionErrorMessage), decode: decodeDecryptionErrorMessage },
  {
    name: "PlaintextContent",
    valid: decryptionError.map((error) => encodePlaintextContent(encodeDecryptionErrorMessage(error))),
    decode: decodePlaintextContent,
  },
  {
    name: "ServerCertificate",
    valid: serverCertificate.map((fields) => encodeSigned({ certificate: encodeServerCertificateFields(fields), signature: SIGNATURE })),
    decode: decodeServerCertificate,
  },
  {
    name: "SenderCertificate",
    valid: senderCertificate.map((fields) => encodeSigned({ certificate: encodeSenderCertificateFields(fields), signature: SIGNATURE })),
    decode: decodeSenderCertificate,
  },
  { name: "SealedContent", valid: sealedContent.map(encodeSealedContent), decode: decodeSealedContent },
  { name: "sealed message, version 1", valid: sealedV1.map(encodeSealedV1), decode: decodeSealedMessage },
  {
    name: "sealed message, version 2",
    valid: fc.tuple(bytesOf(32), bytesOf(16), bytesOf(48, 90)).map(([key, tag, tail]) => encodeSealedV2(key, tag, tail)),
    decode: decodeSealedMessage,
  },
  { name: "multi-recipient message", valid: multiRecipient.map(encodeMultiRecipient), decode: splitMultiRecipient },
  { name: "ScannableFingerprint", valid: scannable.map(encodeScannableFingerprint), decode: decodeScannableFingerprint },
];

/** A byte string changed in one to three places: bits flipped, bytes cut, doubled or put in. */
export function mutated(valid: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  const change = fc.record({ how: fc.nat(4), at: fc.nat(), byte: fc.nat(255), length: fc.integer({ min: 1, max: 12 }) });
  return fc
    .tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([bytes, changes]) => changes.reduce((current, { how, at, byte, length }) => apply(current, how, at, byte, length), bytes));
}

function apply(bytes: Bytes, how: number, place: number, byte: number, length: number): Bytes {
  const at = bytes.length === 0 ? 0 : place % bytes.length;
  const before = bytes.slice(0, at);
  const after = bytes.slice(at);
  if (how === 0) return before;
  if (how === 1) return concat(before, after.subarray(length));
  if (how === 2) return concat(before, after.subarray(0, length), after);
  if (how === 3) return concat(before, new Uint8Array([byte]), after);
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ (1 << (byte % 8));
  return copy;
}
