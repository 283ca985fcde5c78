import { type Bytes, ProtocolError, toHex, WireError } from "#wire";
import { expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import { decodeSpqrMessage, encodeSpqrMessage } from "../../../protocol/pq/message.ts";
import { spqrReceive } from "../../../protocol/pq/spqr.ts";
import { mutate } from "../../support/mutate.ts";
import { type Dice, seededDice } from "../../support/random.ts";
import { advanced, Agent, decoded, encoded, repeatUntil } from "../../support/spqr.ts";

/** Who sends next. */
type Traffic = (dice: Dice, turn: number) => "a" | "b";
const TRAFFIC: Readonly<Record<string, Traffic>> = {
  "ping-pong": (_, turn) => (turn % 2 === 0 ? "a" : "b"),
  "random turns": (dice) => dice.pick(["a", "b"]),
  "long bursts": (_, turn) => (Math.floor(turn / 25) % 2 === 0 ? "a" : "b"),
  "one side talks": (dice) => (dice.chance(0.9) ? "a" : "b"),
};

for (const [name, traffic] of Object.entries(TRAFFIC)) {
  test(`both sides have the same key for every message that arrives (${name}, 25 % lost, late, repeated)`, () => {
    const [a, b] = [new Agent("a2b"), new Agent("b2a")];
    const dice = seededDice(name.length);
    const late: { to: Agent; message: Bytes; key: string; epoch: number }[] = [];
    for (let turn = 0; Math.min(a.epoch, b.epoch) <= 5; turn++) {
      expect(turn).toBeLessThan(6000);
      const [from, to] = traffic(dice, turn) === "a" ? [a, b] : [b, a];
      const epoch = from.epoch;
      const { message, key } = from.send();
      if (dice.chance(0.25)) continue;
      if (dice.chance(0.1)) late.push({ to, message, key, epoch });
      else {
        expect(to.receive(message)).toBe(key);
        const before = toHex(encoded(to.state));
        expect(() => to.receive(message)).toThrow("duplicate");
        expect(toHex(encoded(to.state))).toBe(before);
      }
      if (late.length < 5 || !dice.chance(0.3)) continue;
      const [delayed] = late.splice(dice.roll(late.length), 1);
      if (delayed === undefined) continue;
      // What is dropped with an old epoch is refused; what is kept gives the right key.
      if (delayed.epoch - 1 >= delayed.to.state.chains.firstEpoch) expect(delayed.to.receive(delayed.message)).toBe(delayed.key);
      else expect(() => delayed.to.receive(delayed.message)).toThrow("duplicate");
    }
  });
}

test("no key of an epoch can be taken once two later epochs were sent under", () => {
  const [a, b] = advanced(2);
  const old = a.send().message;
  repeatUntil(
    () => b.state.chains.sendEpoch >= 3,
    () => {
      b.receive(a.send().message);
      a.receive(b.send().message);
    },
  );
  expect(b.state.chains.firstEpoch).toBe(2);
  expect(() => b.receive(old)).toThrow("duplicate");
  expect(b.state.chains.epochs.slice(0, -1).every(({ send }) => send === undefined)).toBe(true);
});

test("a jump over the limit is refused before any key is derived", () => {
  const [a, b] = advanced(1);
  const message = decodeSpqrMessage(a.send().message);
  const before = toHex(encoded(b.state));
  expect(() => b.receive(encodeSpqrMessage({ ...message, index: 25_001 }))).toThrow("too-far-ahead");
  expect(() => b.receive(encodeSpqrMessage({ ...message, index: 0xffff_ffff }))).toThrow("too-far-ahead");
  expect(() => b.receive(encodeSpqrMessage({ ...message, epoch: 3 }))).toThrow("too-far-ahead");
  expect(toHex(encoded(b.state))).toBe(before);
});

test("no message is refused, and a version above ours is passed over", () => {
  const [, b] = advanced(1);
  const before = toHex(encoded(b.state));
  expect(() => b.receive(new Uint8Array(0))).toThrow("bad-state");
  expect(() => b.receive(new Uint8Array([0, 1, 2]))).toThrow("bad-state");
  expect(b.receive(new Uint8Array([2, 9, 9, 9]))).toBeUndefined();
  expect(toHex(encoded(b.state))).toBe(before);
});

test("damaged public parts never lead to a common secret: a MAC refuses them when they are whole", () => {
  for (const damaged of ["header", "vector", "ct2"] as const) {
    const [a, b] = [new Agent("a2b"), new Agent("b2a")];
    const refusals: string[] = [];
    for (let turn = 0; turn < 400 && refusals.length === 0; turn++) {
      const [from, to] = turn % 2 === 0 ? [a, b] : [b, a];
      const message = decodeSpqrMessage(from.send().message);
      const { payload } = message;
      const tampered =
        "chunk" in payload && payload.kind.startsWith(damaged)
          ? { ...payload, chunk: { ...payload.chunk, data: payload.chunk.data.map((byte, at) => (at === 3 ? byte ^ 4 : byte)) } }
          : payload;
      try {
        to.receive(encodeSpqrMessage({ ...message, payload: tampered }));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refusals.push(error.code);
      }
    }
    expect(refusals).toEqual([damaged === "vector" ? "bad-key" : "bad-tag"]);
  }
});

test("messages and states survive any damage without another exception than a refusal", () => {
  const dice = seededDice(8);
  const [a, b] = advanced(2);
  for (let i = 0; i < 600; i++) {
    const { message } = a.send();
    const before = toHex(encoded(b.state));
    try {
      spqrReceive(b.state, mutate(message, dice), new Attempt());
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof WireError)) throw error;
    }
    expect(toHex(encoded(b.state))).toBe(before);
    if (i % 3 === 0) b.receive(message);
    if (i % 5 === 0) a.receive(b.send().message);
    try {
      decoded(mutate(encoded(a.state), dice));
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof WireError)) throw error;
    }
  }
});

test("a message of epoch 1 with index 0 has no key and takes none; in a later epoch it is refused", () => {
  const [a, b] = advanced(1);
  const first = decodeSpqrMessage(a.send().message);
  const { state, key } = spqrReceive(b.state, encodeSpqrMessage({ ...first, index: 0 }), new Attempt());
  expect(key).toBeUndefined();
  expect(state.chains).toBe(b.state.chains);
  expect(state.braid).not.toBe(b.state.braid);

  const [later, other] = advanced(3);
  const message = decodeSpqrMessage(later.send().message);
  expect(message.epoch).toBe(3);
  expect(() => spqrReceive(other.state, encodeSpqrMessage({ ...message, index: 0 }), new Attempt())).toThrow("duplicate");
});
