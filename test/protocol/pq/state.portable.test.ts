import { toHex } from "#wire";
import { expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import type { EpochChains } from "../../../protocol/pq/epoch-chains.ts";
import { spqrReceive, spqrSecrets, spqrSend, type SpqrState } from "../../../protocol/pq/spqr.ts";
import { seededDice, seededRandom } from "../../support/random.ts";
import { secretsOf } from "../../support/secrets.ts";
import { advanced, Agent, decoded, encoded, repeatUntil, stateOfEachKind } from "../../support/spqr.ts";

const states = [...stateOfEachKind()];

test.each(states)("%s is read back as it was written", (_, state) => {
  const bytes = encoded(state);
  expect(toHex(encoded(decoded(bytes)))).toBe(toHex(bytes));
  const [sent, again] = [state, decoded(bytes)].map((from) => spqrSend(from, new Attempt(), seededRandom(4)));
  expect(sent?.message).toEqual(again?.message);
  expect(sent?.key.expose()).toEqual(again?.key.expose());
});

test.each(states)("%s ends where it ends: every beginning of it is refused", (_, state) => {
  const bytes = encoded(state);
  for (let length = 0; length < bytes.length; length++) expect(() => decoded(bytes.slice(0, length))).toThrow("truncated");
});

test.each(states)("%s shares no memory with the bytes it was read from", (_, state) => {
  const bytes = encoded(state);
  const before = toHex(bytes);
  const read = decoded(bytes);
  bytes.fill(0);
  expect(toHex(encoded(read))).toBe(before);
});

test.each(states)("every secret of %s is on the list of what to wipe", (_, state) => {
  const listed = new Set(spqrSecrets(state));
  const reachable = secretsOf(state).map(([, secret]) => secret);
  expect(reachable.length).toBeGreaterThan(4);
  for (const secret of reachable) expect(listed.has(secret)).toBe(true);
  expect(listed.size).toBe(reachable.length);
});

test("a state that no conversation leads to is not read", () => {
  const state = advanced(4)[0].state;
  const { chains } = state;
  const refuse = (changed: Partial<EpochChains>): void => {
    expect(() => decoded(encoded({ ...state, chains: { ...chains, ...changed } }))).toThrow("bad-value");
  };
  expect(decoded(encoded(state)).chains).toMatchObject({ firstEpoch: chains.firstEpoch, sendEpoch: chains.sendEpoch });
  refuse({ firstEpoch: chains.firstEpoch + 1 });
  refuse({ firstEpoch: chains.firstEpoch - 1 });
  refuse({ sendEpoch: chains.sendEpoch + 1 });
  refuse({ sendEpoch: chains.sendEpoch - 2 });
  refuse({ epochs: [] });
  refuse({ epochs: chains.epochs.slice(1) });
  refuse({ epochs: chains.epochs.map((epoch) => ({ ...epoch, send: undefined })) });
  expect(() => decoded(encoded({ ...state, chains: { ...chains, epochs: [...chains.epochs, ...chains.epochs] } }))).toThrow("too-many");
});

test("a state of an unknown kind is not read", () => {
  const bytes = encoded(new Agent("a2b").state);
  for (const kind of [11, 12, 255]) expect(() => decoded(Uint8Array.of(kind, ...bytes.subarray(1)))).toThrow("bad-value");
});

/** A state that sends its header, about to send the chunk of this index. */
function sendingHeader(nextIndex: number): SpqrState {
  const agent = new Agent("a2b");
  agent.send();
  const { state } = agent;
  if (state.braid.kind !== "keys-sampled") throw new RangeError("keys are sampled by the first send");
  return { ...state, braid: { ...state.braid, header: { message: state.braid.header.message, nextIndex } } };
}

test("after the last chunk index comes the first, and no state has one beyond", () => {
  const last = decoded(encoded(sendingHeader(65_535)));
  const { state } = spqrSend(last, new Attempt(), seededRandom(1));
  expect(state.braid).toMatchObject({ kind: "keys-sampled", header: { nextIndex: 0 } });
  expect(() => decoded(encoded(state))).not.toThrow();
  expect(() => decoded(encoded(sendingHeader(65_536)))).toThrow("bad-value");
});

test("a state is at most 3 kB when nothing is late, and 36 bytes more for each message that is", () => {
  const [a, b] = advanced(1);
  let largest = 0;
  repeatUntil(
    () => a.epoch >= 5,
    () => {
      b.receive(a.send().message);
      a.receive(b.send().message);
      largest = Math.max(largest, encoded(a.state).length, encoded(b.state).length);
    },
  );
  expect(largest).toBeLessThan(3000);
  expect(largest).toBeGreaterThan(2000);

  const before = encoded(b.state).length;
  for (let i = 0; i < 100; i++) a.send();
  const after = encoded(spqrReceive(b.state, a.send().message, new Attempt()).state).length;
  expect(after - before).toBeGreaterThanOrEqual(100 * 36);
  expect(after - before).toBeLessThanOrEqual(100 * 36 + 34);
});

test("neither sending nor receiving touches the state it was given", () => {
  const [a, b] = advanced(1);
  const dice = seededDice(2);
  for (let i = 0; i < 400; i++) {
    const [from, to] = dice.chance(0.5) ? [a, b] : [b, a];
    const [sender, receiver] = [encoded(from.state), encoded(to.state)];
    const { message } = spqrSend(from.state, new Attempt(), seededRandom(i));
    spqrReceive(to.state, message, new Attempt());
    expect(encoded(from.state)).toEqual(sender);
    expect(encoded(to.state)).toEqual(receiver);
    const committed = from.send().message;
    if (dice.chance(0.7)) to.receive(committed);
  }
});
