// When a key can be taken, and when it is gone for good.

import { type Backend, backend, useBackend } from "#crypto";
import { toHex } from "#wire";
import { expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import {
  addEpoch,
  type Direction,
  type EpochChains,
  startEpochChains,
  takeReceiveKey,
  takeSendKey,
} from "../../../protocol/pq/epoch-chains.ts";
import { seededDice, seededRandom } from "../../support/random.ts";
import { secretsOf } from "../../support/secrets.ts";
import { advanced, type Agent, authKey, repeatUntil } from "../../support/spqr.ts";

/** One end of the chains; wipes what is spent as soon as it has moved on. */
class Chains {
  chains: EpochChains;

  constructor(direction: Direction) {
    this.chains = startEpochChains(authKey(), direction, new Attempt());
  }

  add(secret: number): void {
    this.#commit((attempt) => ({ chains: addEpoch(this.chains, seededRandom(secret)(32), attempt) }));
  }

  send(epoch: number): { readonly index: number; readonly key: string } {
    return this.#commit((attempt) => {
      const { chains, index, key } = takeSendKey(this.chains, epoch, attempt);
      return { chains, index, key: toHex(key.expose()) };
    });
  }

  receive(epoch: number, index: number): string {
    return this.#commit((attempt) => {
      const { chains, key } = takeReceiveKey(this.chains, epoch, index, attempt);
      return { chains, key: toHex(key.expose()) };
    }).key;
  }

  /** Which epochs can still be sent and received under. */
  get held(): string {
    const { firstEpoch, epochs } = this.chains;
    return epochs.map(({ send }, position) => `${firstEpoch + position}${send === undefined ? " receive" : ""}`).join(", ");
  }

  #commit<T extends { readonly chains: EpochChains }>(step: (attempt: Attempt) => T): T {
    const attempt = new Attempt();
    const done = step(attempt);
    this.chains = done.chains;
    for (const secret of attempt.spent) secret.wipe();
    return done;
  }
}

function ends(): { readonly a: Chains; readonly b: Chains } {
  return { a: new Chains("a2b"), b: new Chains("b2a") };
}

/** How many keys are derived while `work` runs. */
function derivations(work: () => void): number {
  let count = 0;
  const before = backend();
  const counting: Backend = {
    ...before,
    hkdfSha256(salt, inputKey, info, length) {
      count++;
      return before.hkdfSha256(salt, inputKey, info, length);
    },
  };
  useBackend(counting);
  try {
    work();
  } finally {
    useBackend(before);
  }
  return count;
}

test("each direction has its own keys, each message one of its own, and the first index is 1", () => {
  const { a, b } = ends();
  const keys = [a.send(0), a.send(0), b.send(0), b.send(0)];
  expect(keys.map(({ index }) => index)).toEqual([1, 2, 1, 2]);
  expect(new Set(keys.map(({ key }) => key)).size).toBe(4);
  expect([b.receive(0, 1), b.receive(0, 2), a.receive(0, 1), a.receive(0, 2)]).toEqual(keys.map(({ key }) => key));
});

test("keys come in any order, each once", () => {
  const { a, b } = ends();
  const sent = Array.from({ length: 200 }, () => a.send(0));
  const dice = seededDice(1);
  while (sent.length > 0) {
    const [{ index, key } = { index: 0, key: "" }] = sent.splice(dice.roll(sent.length), 1);
    expect(b.receive(0, index)).toBe(key);
    expect(() => b.receive(0, index)).toThrow("duplicate");
  }
  expect(() => b.receive(0, 0)).toThrow("duplicate");
});

test("the longest jump is taken; the next longer one is refused without a single derivation", () => {
  const { a, b } = ends();
  let last = { index: 0, key: "" };
  const sent = Array.from({ length: 25_000 }, () => (last = a.send(0)));
  for (const index of [25_001, 0xffff_ffff]) {
    expect(derivations(() => expect(() => b.receive(0, index)).toThrow("too-far-ahead"))).toBe(0);
  }
  expect(derivations(() => expect(b.receive(0, 25_000)).toBe(last.key))).toBe(25_000);
  expect(b.receive(0, 23_000)).toBe(sent[22_999]?.key);
  expect(b.receive(0, 24_999)).toBe(sent[24_998]?.key);
  for (const index of [1, 22_998, 22_999]) expect(() => b.receive(0, index)).toThrow("duplicate");
});

test("a key is kept for 2,000 messages, however few others are kept with it", () => {
  const { a, b } = ends();
  const early = [a.send(0), a.send(0), a.send(0)];
  for (let index = 4; index <= 2001; index++) a.send(0);
  for (let index = 4; index <= 2001; index++) b.receive(0, index);
  expect(() => b.receive(0, 0)).toThrow("duplicate");
  expect(b.receive(0, 1)).toBe(early[0]?.key);
  a.send(0);
  b.receive(0, 2002);
  expect(b.receive(0, 2)).toBe(early[1]?.key);
  a.send(0);
  a.send(0);
  b.receive(0, 2003);
  b.receive(0, 2004);
  expect(() => b.receive(0, 3)).toThrow("duplicate");
});

test("when epochs are dropped", () => {
  const { a, b } = ends();
  expect(a.held).toBe("0");
  a.add(1); //                     The braid agreed on the secret of epoch 1: it can be received under,
  expect(a.held).toBe("0, 1"); //  but what we send belongs to epoch 0 until the braid moves on.
  a.send(0);
  expect(a.held).toBe("0, 1");
  a.send(1); //                    Sending moved on: nothing more can be sent under 0, late messages still open.
  expect(a.held).toBe("0 receive, 1");
  a.add(2);
  expect(a.held).toBe("0 receive, 1, 2");
  a.send(2); //                    One epoch back is kept, two are not.
  expect(a.held).toBe("1 receive, 2");

  b.add(1);
  b.add(2);
  const [fromZero, fromOne] = [b.send(0), b.send(1)];
  expect(() => a.receive(0, fromZero.index)).toThrow("duplicate");
  expect(a.receive(1, fromOne.index)).toBe(fromOne.key);
  expect(() => a.receive(3, 1)).toThrow("too-far-ahead");
  expect(() => a.send(1)).toThrow();
});

test("nothing that was dropped is left unwiped", () => {
  const { a, b } = ends();
  for (let epoch = 0; epoch < 4; epoch++) {
    const before = secretsOf([a.chains, b.chains]);
    for (let i = 0; i < 5; i++) {
      a.send(epoch);
      b.send(epoch);
    }
    // Jumped over, so that skipped keys stand in the epoch that goes.
    b.receive(epoch, 4);
    a.receive(epoch, 5);
    a.add(epoch);
    b.add(epoch);
    const kept = new Set(secretsOf([a.chains, b.chains]).map(([, secret]) => secret));
    for (const [path, secret] of before) expect([path, secret.isWiped]).toEqual([path, !kept.has(secret)]);
    for (const secret of kept) expect(secret.isWiped).toBe(false);
  }
});

test("in a whole conversation at most three epochs are held, one of them sent under", () => {
  const [a, b] = advanced(1);
  let most = 0;
  const step = (from: Agent, to: Agent): void => {
    to.receive(from.send().message);
    for (const { state } of [from, to]) most = Math.max(most, state.chains.epochs.length);
    expect(from.state.chains.sendEpoch).toBe(from.epoch - 1);
  };
  repeatUntil(
    () => a.epoch >= 6,
    () => {
      step(a, b);
      step(b, a);
    },
  );
  expect(most).toBe(3);
});
