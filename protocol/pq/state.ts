// The persisted form of the post-quantum ratchet, inside that of a session.

import { KEM_CT1_BYTES, KEM_HEADER_BYTES, KEM_VECTOR_BYTES, Secret } from "#crypto";
import { assertNever, type Bytes, WireError } from "#wire";
import type { Reader, Writer } from "../codec.ts";
import { exposeSkipped, skippedFromBytes } from "../skipped.ts";
import type { Authenticator } from "./authenticator.ts";
import { type Braid, CT2_MESSAGE_BYTES, HEADER_MESSAGE_BYTES } from "./braid.ts";
import { CHUNK_BYTES, CHUNK_INDEXES, type Decoder, type Encoder, isDecoder } from "./chunks.ts";
import type { Epoch, EpochChain, EpochChains } from "./epoch-chains.ts";
import type { SpqrState } from "./spqr.ts";

const KEY_BYTES = 32;
const SEED_BYTES = 64;
/** The epoch that is sent under, one before it, and one ahead: each later one needs a send of ours in between. */
const MAX_EPOCHS = 3;

/** Positions are the numbers in storage: append, never reorder. */
const KINDS = [
  "keys-unsampled",
  "keys-sampled",
  "header-sent",
  "ct1-received",
  "vector-sent",
  "no-header",
  "header-received",
  "ct1-sampled",
  "vector-received",
  "ct1-acknowledged",
  "ct2-sampled",
] as const;

export function encodeSpqr(state: SpqrState, writer: Writer): void {
  writeBraid(writer, state.braid);
  writeChains(writer, state.chains);
}

/** @throws WireError for bytes that `encodeSpqr` did not make. */
export function decodeSpqr(reader: Reader): SpqrState {
  const state = { braid: readBraid(reader), chains: readChains(reader) };
  if (!isConsistent(state)) throw new WireError("bad-value");
  return state;
}

/** Chains reach up to the braid's epoch, whose secret is agreed on before it ends; sending follows one epoch behind. */
function isConsistent({ braid, chains }: SpqrState): boolean {
  const { firstEpoch, sendEpoch, epochs } = chains;
  const last = firstEpoch + epochs.length - 1;
  if (last !== (HAS_SECRET.has(braid.kind) ? braid.epoch : braid.epoch - 1)) return false;
  if (sendEpoch < firstEpoch || sendEpoch > braid.epoch - 1 || sendEpoch < braid.epoch - 2) return false;
  return epochs.every(({ send }, position) => (send === undefined) === firstEpoch + position < sendEpoch);
}

/** The states of the side with the ciphertext once it has made the first half. */
const HAS_SECRET: ReadonlySet<Braid["kind"]> = new Set(["ct1-sampled", "vector-received", "ct1-acknowledged", "ct2-sampled"]);

function writeBraid(writer: Writer, braid: Braid): void {
  writer.u8(KINDS.indexOf(braid.kind)).u64(braid.epoch);
  writer.raw(braid.authenticator.root.expose()).raw(braid.authenticator.macKey.expose());
  switch (braid.kind) {
    case "keys-unsampled":
      return;
    case "keys-sampled":
      writer.raw(braid.seed.expose()).raw(braid.vector);
      return writeEncoder(writer, braid.header);
    case "header-sent":
      writer.raw(braid.seed.expose());
      writeEncoder(writer, braid.vector);
      return writeDecoder(writer, braid.ct1);
    case "ct1-received":
      writer.raw(braid.seed.expose()).raw(braid.ct1);
      return writeEncoder(writer, braid.vector);
    case "vector-sent":
      writer.raw(braid.seed.expose()).raw(braid.ct1);
      return writeDecoder(writer, braid.ct2);
    case "no-header":
      return writeDecoder(writer, braid.header);
    case "header-received":
      writer.raw(braid.header);
      return;
    case "ct1-sampled":
      writer.raw(braid.header).raw(braid.coins.expose());
      writeEncoder(writer, braid.ct1);
      return writeDecoder(writer, braid.vector);
    case "vector-received":
      writer.raw(braid.header).raw(braid.coins.expose()).raw(braid.vector);
      return writeEncoder(writer, braid.ct1);
    case "ct1-acknowledged":
      writer.raw(braid.header).raw(braid.coins.expose()).raw(braid.ct1);
      return writeDecoder(writer, braid.vector);
    case "ct2-sampled":
      return writeEncoder(writer, braid.ct2);
    default:
      return assertNever(braid);
  }
}

function readBraid(reader: Reader): Braid {
  const kind = KINDS[reader.u8()];
  const common = { epoch: reader.u64(), authenticator: readAuthenticator(reader) };
  switch (kind) {
    case "keys-unsampled":
      return { kind, ...common };
    case "keys-sampled":
      return {
        kind,
        ...common,
        seed: readSeed(reader),
        vector: reader.raw(KEM_VECTOR_BYTES),
        header: readEncoder(reader, HEADER_MESSAGE_BYTES),
      };
    case "header-sent":
      return {
        kind,
        ...common,
        seed: readSeed(reader),
        vector: readEncoder(reader, KEM_VECTOR_BYTES),
        ct1: readDecoder(reader, KEM_CT1_BYTES),
      };
    case "ct1-received":
      return { kind, ...common, seed: readSeed(reader), ct1: reader.raw(KEM_CT1_BYTES), vector: readEncoder(reader, KEM_VECTOR_BYTES) };
    case "vector-sent":
      return { kind, ...common, seed: readSeed(reader), ct1: reader.raw(KEM_CT1_BYTES), ct2: readDecoder(reader, CT2_MESSAGE_BYTES) };
    case "no-header":
      return { kind, ...common, header: readDecoder(reader, HEADER_MESSAGE_BYTES) };
    case "header-received":
      return { kind, ...common, header: reader.raw(KEM_HEADER_BYTES) };
    case "ct1-sampled":
      return {
        kind,
        ...common,
        ...readSampled(reader),
        ct1: readEncoder(reader, KEM_CT1_BYTES),
        vector: readDecoder(reader, KEM_VECTOR_BYTES),
      };
    case "vector-received":
      return { kind, ...common, ...readSampled(reader), vector: reader.raw(KEM_VECTOR_BYTES), ct1: readEncoder(reader, KEM_CT1_BYTES) };
    case "ct1-acknowledged":
      return { kind, ...common, ...readSampled(reader), ct1: reader.raw(KEM_CT1_BYTES), vector: readDecoder(reader, KEM_VECTOR_BYTES) };
    case "ct2-sampled":
      return { kind, ...common, ct2: readEncoder(reader, CT2_MESSAGE_BYTES) };
    default:
      throw new WireError("bad-value");
  }
}

function readAuthenticator(reader: Reader): Authenticator {
  return { root: readKey(reader), macKey: readKey(reader) };
}

function readSampled(reader: Reader): { readonly header: Bytes; readonly coins: Secret } {
  return { header: reader.raw(KEM_HEADER_BYTES), coins: readKey(reader) };
}

function writeEncoder(writer: Writer, encoder: Encoder): void {
  writer.raw(encoder.message).u32(encoder.nextIndex);
}

function readEncoder(reader: Reader, messageBytes: number): Encoder {
  const encoder = { message: reader.raw(messageBytes), nextIndex: reader.u32() };
  if (encoder.nextIndex >= CHUNK_INDEXES) throw new WireError("bad-value");
  return encoder;
}

function writeDecoder(writer: Writer, decoder: Decoder): void {
  writer.bytes(decoder.received);
}

function readDecoder(reader: Reader, messageBytes: number): Decoder {
  const decoder = { needed: messageBytes / CHUNK_BYTES, received: reader.bytes() };
  if (!isDecoder(decoder)) throw new WireError("bad-value");
  return decoder;
}

function writeChains(writer: Writer, chains: EpochChains): void {
  writer.u8(chains.direction === "a2b" ? 0 : 1).raw(chains.nextRoot.expose());
  writer.u64(chains.firstEpoch).u64(chains.sendEpoch).u32(chains.epochs.length);
  for (const { send, receive, skipped } of chains.epochs) {
    writer.u8(send === undefined ? 0 : 1);
    if (send !== undefined) writeChain(writer, send);
    writeChain(writer, receive);
    writer.bytes(exposeSkipped(skipped));
  }
}

function readChains(reader: Reader): EpochChains {
  const direction = reader.u8();
  if (direction > 1) throw new WireError("bad-value");
  const nextRoot = readKey(reader);
  const [firstEpoch, sendEpoch] = [reader.u64(), reader.u64()];
  const epochs: Epoch[] = [];
  for (let left = reader.count(MAX_EPOCHS); left > 0; left--) epochs.push(readEpoch(reader));
  return { direction: direction === 0 ? "a2b" : "b2a", nextRoot, firstEpoch, sendEpoch, epochs };
}

function readEpoch(reader: Reader): Epoch {
  const present = reader.u8();
  if (present > 1) throw new WireError("bad-value");
  const send = present === 1 ? readChain(reader) : undefined;
  return { send, receive: readChain(reader), skipped: skippedFromBytes(reader.bytes()) };
}

function writeChain(writer: Writer, chain: EpochChain): void {
  writer.raw(chain.key.expose()).u32(chain.index);
}

function readChain(reader: Reader): EpochChain {
  return { key: readKey(reader), index: reader.u32() };
}

function readKey(reader: Reader): Secret {
  return new Secret(reader.raw(KEY_BYTES));
}

function readSeed(reader: Reader): Secret {
  return new Secret(reader.raw(SEED_BYTES));
}
