import { createRegistry, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type Bytes,
  concat,
  decodeClientFrame,
  decodeContent,
  decodeContentCopy,
  decodeDecryptionErrorMessage,
  decodeEnvelope,
  decodeNotice,
  decodePlaintextContent,
  decodePreKeySignalMessage,
  decodeScannableFingerprint,
  decodeSealedContent,
  decodeSealedMessage,
  decodeSendRequest,
  decodeSenderKeyDistributionMessage,
  decodeSenderKeyMessage,
  decodeServerCertificate,
  decodeServerFrame,
  decodeSignalMessage,
  encodeClientFrame,
  encodeContent,
  encodeContentCopy,
  encodeDecryptionErrorMessage,
  encodeEnvelope,
  encodeNotice,
  encodePlaintextContent,
  encodePreKeySignalMessage,
  encodeScannableFingerprint,
  encodeSealedContent,
  encodeSealedV1,
  encodeSendRequest,
  encodeSenderKeyDistributionMessage,
  encodeSenderKeyMessage,
  encodeServerFrame,
  encodeSigned,
  encodeSignalMessage,
  fromHex,
  toHex,
} from "#wire";
import { file_content } from "../../wire/gen/content_pb.js";
import { file_envelope } from "../../wire/gen/envelope_pb.js";
import { file_frames } from "../../wire/gen/frames_pb.js";
import { file_signal } from "../../wire/gen/signal_pb.js";
import { outcome } from "../support/wire.ts";
import protobuf from "../vectors/protobuf.json" with { type: "json" };

const MAC = new Uint8Array(8);
const SIGNATURE = new Uint8Array(64);
const v1 = (bytes: Bytes) => {
  const message = decodeSealedMessage(concat(fromHex("11"), bytes));
  if (message.kind !== "v1") throw new Error("another version");
  return message;
};

/** Protobuf in, protobuf out, through our decoder and our encoder. */
const AGAIN: Readonly<Record<string, (bytes: Bytes) => Bytes>> = {
  "signal.SignalMessage": (bytes) => encodeSignalMessage(decodeSignalMessage(concat(fromHex("44"), bytes, MAC))).subarray(1),
  "signal.PreKeySignalMessage": (bytes) => encodePreKeySignalMessage(decodePreKeySignalMessage(concat(fromHex("44"), bytes))).subarray(1),
  "signal.SenderKeyMessage": (bytes) => encodeSenderKeyMessage(decodeSenderKeyMessage(concat(fromHex("33"), bytes, SIGNATURE))).subarray(1),
  "signal.SenderKeyDistributionMessage": (bytes) =>
    encodeSenderKeyDistributionMessage(decodeSenderKeyDistributionMessage(concat(fromHex("33"), bytes))).subarray(1),
  "signal.DecryptionErrorMessage": (bytes) => encodeDecryptionErrorMessage(decodeDecryptionErrorMessage(bytes)),
  "signal.PlaintextContent": (bytes) =>
    encodePlaintextContent(decodePlaintextContent(concat(fromHex("c0"), bytes, fromHex("80")))).subarray(1, -1),
  "signal.ServerCertificate": (bytes) => encodeSigned(decodeServerCertificate(bytes)),
  "signal.ScannableFingerprint": (bytes) => encodeScannableFingerprint(decodeScannableFingerprint(bytes)),
  "signal.UnidentifiedSenderMessage.Message": (bytes) => encodeSealedContent(decodeSealedContent(bytes)),
  "signal.UnidentifiedSenderMessage": (bytes) => encodeSealedV1(v1(bytes)).subarray(1),
  "edgewise.Envelope": (bytes) => encodeEnvelope(decodeEnvelope(bytes)),
  "edgewise.SendRequest": (bytes) => encodeSendRequest(decodeSendRequest(bytes)),
  "edgewise.Notice": (bytes) => encodeNotice(decodeNotice(bytes)),
  "edgewise.ServerFrame": (bytes) => encodeServerFrame(decodeServerFrame(bytes)),
  "edgewise.ClientFrame": (bytes) => encodeClientFrame(decodeClientFrame(bytes)),
  "edgewise.ContentCopy": (bytes) => encodeContentCopy(decodeContentCopy(bytes)),
  "edgewise.Content": (bytes) => encodeContent(decodeContent(bytes)),
};

const REGISTRY = createRegistry(file_signal, file_envelope, file_frames, file_content);

const VECTORS = protobuf.vectors.map((vector, index) => ({ ...vector, name: `${vector.type} (${index})` }));

test.each(VECTORS)("$name: what protobuf-go wrote reads and writes as the same bytes", ({ type, json, hex }) => {
  const bytes = fromHex(hex);
  expect(toHex(AGAIN[type]?.(bytes) ?? bytes.subarray(1))).toBe(hex);
  // The generated code, from the same JSON: so the files that it was generated from are the ones in the repository.
  const schema = REGISTRY.getMessage(type);
  // The JSON of a vector is JSON.
  expect(schema && toHex(toBinary(schema, fromJson(schema, json as JsonValue)))).toBe(hex);
});

test("values written by protobuf-go are the values that we read", () => {
  const hexOf = (index: number): Bytes => fromHex(protobuf.vectors[index]?.hex ?? "");
  const text = protobuf.vectors.findIndex((vector) => "text" in vector.json);
  expect(decodeContent(hexOf(text))).toMatchObject({
    sender: "01234567-89ab-8def-8123-456789abcd03",
    senderHead: { length: 4 },
    conversation: { kind: "direct", recipient: "01234567-89ab-8def-8123-456789abcd00", recipientHead: { length: 70_000 } },
    position: { counter: 2 },
    messageId: "f0f0f0f0-f0f0-f0f0-f0f0-f0f0f0f0f0f0",
    sentAt: 1_790_000_000_123,
    body: { kind: "text", text: "grüß 👋", replyTo: { author: "01234567-89ab-8def-8123-456789abcd00" } },
  });
  const group = decodeContent(hexOf(text + 1));
  expect(group.conversation).toMatchObject({ kind: "group", groupId: "0a".repeat(32), version: Number.MAX_SAFE_INTEGER });
  const ack = protobuf.vectors.findIndex((vector) => "ack" in vector.json);
  expect(decodeClientFrame(hexOf(ack)).frame).toEqual({ kind: "ack", guids: [1, 127, 128, Number.MAX_SAFE_INTEGER] });
});

test("a vector of ours with one byte more or one byte less is refused", () => {
  const ours = protobuf.vectors.filter((vector) => vector.type.startsWith("edgewise."));
  for (const { type, hex } of ours) {
    const again = AGAIN[type] ?? ((bytes: Bytes) => bytes);
    for (const damaged of [`${hex}00`, hex.slice(0, -2)]) expect(outcome(() => again(fromHex(damaged)))).not.toBe("accepted");
  }
  expect(ours.length).toBeGreaterThan(20);
});
