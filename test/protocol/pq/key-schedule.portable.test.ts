// The derivations, written out once more with their labels as text: a changed letter, order or length shows here and
// not only when the official library is asked.

import { hkdf, hmac } from "#crypto";
import { ascii, be32, be64, type Bytes, concat, toHex } from "#wire";
import { expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import type { Braid } from "../../../protocol/pq/braid.ts";
import { initSpqr, spqrReceive, spqrSend, type SpqrState } from "../../../protocol/pq/spqr.ts";
import { sha3_256, sha3_512 } from "../../reference/keccak.ts";
import { seededRandom } from "../../support/random.ts";
import { authKey, type BraidIn } from "../../support/spqr.ts";

const ZERO: Bytes = new Uint8Array(32);
const BRAID = "Signal_PQCKA_V1_MLKEM768:";

function derive(salt: Bytes, inputKey: Bytes, info: Bytes, length: number): readonly Bytes[] {
  const okm = hkdf({ salt, inputKey, info, length });
  return Array.from({ length: length / 32 }, (_, i) => okm.slice(32 * i, 32 * (i + 1)));
}

function hex(...values: readonly (Bytes | undefined)[]): readonly string[] {
  return values.map((value) => (value === undefined ? "absent" : toHex(value)));
}

/** Root and MAC key after `secret` of `epoch` was absorbed. */
function authenticator(root: Bytes, epoch: number, secret: Bytes): readonly Bytes[] {
  return derive(ZERO, concat(root, secret), concat(ascii(`${BRAID}Authenticator Update`), be64(epoch)), 64);
}

/** A conversation without loss, up to the first time that either side is in the state. Nothing is wiped. */
function conversationTo<Kind extends Braid["kind"]>(
  kind: Kind,
  side: "a" | "b",
): { readonly before: SpqrState; readonly state: SpqrState; readonly braid: BraidIn<Kind> } {
  const random = seededRandom(1);
  let sides = { a: initSpqr(authKey(), "a2b", new Attempt()), b: initSpqr(authKey(), "b2a", new Attempt()) };
  for (let turn = 0; turn < 400; turn++) {
    const before = sides;
    const [from, to] = turn % 2 === 0 ? (["a", "b"] as const) : (["b", "a"] as const);
    const sent = spqrSend(sides[from], new Attempt(), random);
    sides = { ...sides, [from]: sent.state, [to]: spqrReceive(sides[to], sent.message, new Attempt()).state };
    const state = sides[side];
    if (isIn(state.braid, kind)) return { before: before[side], state, braid: state.braid };
  }
  throw new RangeError("never in this state");
}

function isIn<Kind extends Braid["kind"]>(braid: Braid, kind: Kind): braid is BraidIn<Kind> {
  return braid.kind === kind;
}

test("both sides start from the session's key", () => {
  const [root, macKey] = authenticator(ZERO, 1, authKey());
  const [nextRoot, a2b, b2a] = derive(ZERO, authKey(), ascii("Signal PQ Ratchet V1 Chain  Start"), 96);
  for (const direction of ["a2b", "b2a"] as const) {
    const { braid, chains } = initSpqr(authKey(), direction, new Attempt());
    const [epoch] = chains.epochs;
    expect(hex(braid.authenticator.root.expose(), braid.authenticator.macKey.expose())).toEqual(hex(root, macKey));
    expect(hex(chains.nextRoot.expose())).toEqual(hex(nextRoot));
    const ends = [epoch?.send?.key.expose(), epoch?.receive.key.expose()];
    expect(hex(...ends)).toEqual(direction === "a2b" ? hex(a2b, b2a) : hex(b2a, a2b));
  }
});

test("a message key comes from its chain key and its index", () => {
  const start = initSpqr(authKey(), "a2b", new Attempt());
  let chainKey = start.chains.epochs[0]?.send?.key.expose() ?? ZERO;
  let state = start;
  for (let index = 1; index <= 3; index++) {
    const [nextKey = ZERO, messageKey] = derive(ZERO, chainKey, concat(be32(index), ascii("Signal PQ Ratchet V1 Chain Next")), 64);
    const sent = spqrSend(state, new Attempt(), seededRandom(2));
    expect(hex(sent.key.expose(), sent.state.chains.epochs[0]?.send?.key.expose())).toEqual(hex(messageKey, nextKey));
    [state, chainKey] = [sent.state, nextKey];
  }
});

test("the header is matrix seed, hash of the whole key, and a MAC", () => {
  const { braid } = conversationTo("keys-sampled", "a");
  const { message } = braid.header;
  const [header, mac] = [message.slice(0, 64), message.slice(64)];
  const [, macKey = ZERO] = authenticator(ZERO, 1, authKey());
  expect(hex(header.slice(32))).toEqual(hex(sha3_256(concat(braid.vector, header.slice(0, 32)))));
  expect(hex(mac)).toEqual(hex(hmac(macKey, concat(ascii(`${BRAID}ekheader`), be64(1), header))));
});

test("the epoch's secret comes from the coins, renews the MAC key, and opens the next chains", () => {
  const { before, state, braid } = conversationTo("ct1-sampled", "b");
  const shared = sha3_512(concat(braid.coins.expose(), braid.header.slice(32))).slice(0, 32);
  const [secret = ZERO] = derive(ZERO, shared, concat(ascii(`${BRAID}SCKA Key`), be64(1)), 32);
  const [root, macKey] = authenticator(before.braid.authenticator.root.expose(), 1, secret);
  expect(hex(braid.authenticator.root.expose(), braid.authenticator.macKey.expose())).toEqual(hex(root, macKey));

  const [nextRoot, a2b, b2a] = derive(before.chains.nextRoot.expose(), secret, ascii("Signal PQ Ratchet V1 Chain Add Epoch"), 96);
  const epoch = state.chains.epochs.at(-1);
  expect(state.chains.epochs).toHaveLength(2);
  expect(hex(state.chains.nextRoot.expose(), epoch?.receive.key.expose(), epoch?.send?.key.expose())).toEqual(hex(nextRoot, a2b, b2a));
});

test("the second half of the ciphertext carries a MAC over both, under the renewed key", () => {
  const { before, braid } = conversationTo("ct2-sampled", "b");
  if (!("ct1" in before.braid)) throw new RangeError("the first half is there before the second");
  const { ct1 } = before.braid;
  const first = ct1 instanceof Uint8Array ? ct1 : "message" in ct1 ? ct1.message : ct1.received;
  const [second, mac] = [braid.ct2.message.slice(0, 128), braid.ct2.message.slice(128)];
  const expected = hmac(before.braid.authenticator.macKey.expose(), concat(ascii(`${BRAID}ciphertext`), be64(1), first, second));
  expect(hex(mac)).toEqual(hex(expected));
});

test("a message of an epoch takes its key from the chains of the one before", () => {
  const { state } = conversationTo("ct2-sampled", "b");
  expect([state.braid.epoch, state.chains.sendEpoch, state.chains.epochs.length]).toEqual([1, 0, 2]);
  const { state: moved } = conversationTo("no-header", "a");
  expect([moved.braid.epoch, moved.chains.sendEpoch]).toEqual([2, 0]);
  const sent = spqrSend(moved, new Attempt(), seededRandom(3));
  expect([sent.message[1], sent.message[2], sent.state.chains.sendEpoch]).toEqual([2, 1, 1]);
});
