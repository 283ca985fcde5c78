import {
  createSenderKey,
  decodeSenderKeyRecord,
  distributeSenderKey,
  distributionOf,
  encodeSenderKeyRecord,
  learnSenderKey,
  NO_SENDER_KEY,
  openFromGroup,
  sealForGroup,
  type SenderKeyRecord,
} from "#protocol";
import { ascii, type Bytes, MAX_FORWARD_JUMP, MAX_SENDER_KEY_STATES, parseDistributionId, toHex } from "#wire";
import { expect, test } from "vitest";
import { accepted } from "../support/devices.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const id = parseDistributionId("6f1d1f6e-0c1b-4a44-9a6f-1f2d3c4b5a69");

function started(seed: number): { sender: SenderKeyRecord; receiver: SenderKeyRecord } {
  const created = accepted(createSenderKey(NO_SENDER_KEY, id, seededRandom(seed)));
  return { sender: created.state, receiver: accepted(learnSenderKey(NO_SENDER_KEY, created.output)).state };
}

/** Seals `count` messages; the text of each is its number. */
function sealed(sender: SenderKeyRecord, count: number): { sender: SenderKeyRecord; messages: Bytes[] } {
  const messages: Bytes[] = [];
  let state = sender;
  for (let i = 0; i < count; i++) {
    const done = accepted(sealForGroup(state, id, ascii(`${i}`)));
    state = done.state;
    messages.push(done.output);
  }
  return { sender: state, messages };
}

test("group messages open in any order, with losses, and each only once", () => {
  const dice = seededDice(1);
  const { sender, receiver } = started(1);
  const { messages } = sealed(sender, 60);
  let state = receiver;
  const order = messages.map((message, i) => ({ message, i })).filter(() => dice.chance(0.7));
  for (let left = order.length; left > 0; left--) {
    const [next] = order.splice(dice.roll(left), 1);
    if (next === undefined) break;
    const opened = accepted(openFromGroup(state, next.message));
    expect(opened.output).toEqual(ascii(`${next.i}`));
    state = decodeSenderKeyRecord(encodeSenderKeyRecord(opened.state));
    expect(openFromGroup(state, next.message)).toEqual({ kind: "refused", code: "duplicate" });
  }
});

test("a message says which distribution it belongs to", () => {
  const { messages } = sealed(started(2).sender, 1);
  expect(messages.map(distributionOf)).toEqual([id]);
});

test("who joins later opens nothing from before", () => {
  const { sender } = started(3);
  const early = sealed(sender, 3);
  const joined = accepted(distributeSenderKey(early.sender, id));
  const newcomer = accepted(learnSenderKey(NO_SENDER_KEY, joined.output)).state;
  const [late] = sealed(early.sender, 1).messages;
  for (const message of early.messages) expect(openFromGroup(newcomer, message)).toEqual({ kind: "refused", code: "duplicate" });
  expect(late === undefined ? "" : accepted(openFromGroup(newcomer, late)).output).toEqual(ascii("0"));
});

test("a member who only reads cannot write in the sender's name", () => {
  const { sender, receiver } = started(4);
  expect(sealForGroup(receiver, id, ascii("forged"))).toEqual({ kind: "refused", code: "no-sender-key" });
  expect(distributeSenderKey(receiver, id)).toEqual({ kind: "refused", code: "no-sender-key" });
  const [message] = sealed(sender, 1).messages;
  const other = started(5);
  expect(message === undefined ? "" : openFromGroup(other.receiver, message)).toEqual({ kind: "refused", code: "no-sender-key" });
});

test("the same chain again keeps what was opened; the same id with another key replaces it", () => {
  const { sender, receiver } = started(6);
  const distribution = accepted(distributeSenderKey(sender, id)).output;
  const [message] = sealed(sender, 1).messages;
  if (message === undefined) throw new RangeError("one message was sealed");
  const opened = accepted(openFromGroup(receiver, message)).state;
  const again = accepted(learnSenderKey(opened, distribution)).state;
  expect(openFromGroup(again, message)).toEqual({ kind: "refused", code: "duplicate" });

  const chainId = sender[0]?.chainId ?? 0;
  const foreign = accepted(createSenderKey(NO_SENDER_KEY, id, seededRandom(7))).state.map((state) => ({ ...state, chainId }));
  const replaced = accepted(learnSenderKey(receiver, accepted(distributeSenderKey(foreign, id)).output)).state;
  expect(replaced).toHaveLength(1);
  expect(openFromGroup(replaced, message)).toEqual({ kind: "refused", code: "bad-signature" });
});

test("a rotation keeps the old chains for what is under way, five in all", () => {
  let { sender, receiver } = started(8);
  const underWay: Bytes[] = [];
  for (let rotation = 0; rotation < MAX_SENDER_KEY_STATES + 1; rotation++) {
    underWay.push(accepted(sealForGroup(sender, id, ascii(`${rotation}`))).output);
    const rotated = accepted(createSenderKey(sender, id, seededRandom(100 + rotation)));
    sender = rotated.state;
    receiver = accepted(learnSenderKey(receiver, rotated.output)).state;
  }
  expect(sender).toHaveLength(MAX_SENDER_KEY_STATES);
  const outcomes = underWay.map((message) => openFromGroup(receiver, message).kind);
  expect(outcomes).toEqual(["refused", "refused", "done", "done", "done", "done"]);
});

test("a jump over the limit is refused and changes nothing", () => {
  const { sender, receiver } = started(9);
  const before = toHex(encodeSenderKeyRecord(receiver));
  const [own] = sender;
  if (own === undefined) throw new RangeError("a chain was created");
  const chain = own.received.chain;
  const at = (index: number): SenderKeyRecord => [{ ...own, received: { ...own.received, chain: { ...chain, index } } }];
  const far = accepted(sealForGroup(at(MAX_FORWARD_JUMP + 1), id, ascii("far"))).output;
  expect(openFromGroup(receiver, far)).toEqual({ kind: "refused", code: "too-far-ahead" });
  const justAhead = accepted(sealForGroup(at(MAX_FORWARD_JUMP), id, ascii("near"))).output;
  expect(openFromGroup(receiver, justAhead)).toEqual({ kind: "refused", code: "bad-padding" });
  expect(toHex(encodeSenderKeyRecord(receiver))).toBe(before);
});

test("a chain that stands at the last number is refused and never stored beyond it", () => {
  const { sender, receiver } = started(10);
  const [own] = sender;
  if (own === undefined) throw new RangeError("a chain was created");
  const last = { ...own.received, chain: { ...own.received.chain, index: 0xffff_ffff } };
  expect(sealForGroup([{ ...own, received: last }], id, ascii("x"))).toEqual({ kind: "refused", code: "over-limit" });
  const distribution = accepted(distributeSenderKey([{ ...own, received: last }], id)).output;
  const learned = accepted(learnSenderKey(NO_SENDER_KEY, distribution)).state;
  expect(decodeSenderKeyRecord(encodeSenderKeyRecord(learned))[0]?.received.chain.index).toBe(0xffff_ffff);
  expect(receiver).toHaveLength(1);
});
