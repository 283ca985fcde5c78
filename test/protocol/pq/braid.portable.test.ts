// The state machine against its table: what each state sends, and what each piece of a message does to it.

import { ProtocolError, toHex } from "#wire";
import { describe, expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import { startAuthenticator } from "../../../protocol/pq/authenticator.ts";
import { type Braid, braidReceive, braidSend, type BraidStep, startBraid } from "../../../protocol/pq/braid.ts";
import type { BraidPayload } from "../../../protocol/pq/message.ts";
import { seededRandom } from "../../support/random.ts";
import { authKey, repeatUntil, stateOfEachKind } from "../../support/spqr.ts";

type Kind = Braid["kind"];
type Piece = BraidPayload["kind"];

const states = stateOfEachKind();
const KINDS: readonly Kind[] = [
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
];
const PIECES: readonly Piece[] = ["none", "header", "vector", "vector-ct1-ack", "ct1-ack", "ct1", "ct2"];

function braidIn(kind: Kind): Braid {
  const state = states.get(kind);
  if (state === undefined) throw new RangeError("no conversation reached this state");
  return state.braid;
}

/** A piece that no state has yet, and that completes nothing. */
function piece(kind: Piece): BraidPayload {
  if (kind === "none" || kind === "ct1-ack") return { kind };
  return { kind, chunk: { index: 60_000, data: seededRandom(6)(32) } };
}

test("two conversations reach every state", () => {
  expect([...states.keys()].sort()).toEqual([...KINDS].sort());
});

describe("what a state sends, and the state it is in afterwards", () => {
  const SENDS: Readonly<Record<Kind, readonly [Piece, Kind]>> = {
    "keys-unsampled": ["header", "keys-sampled"],
    "keys-sampled": ["header", "keys-sampled"],
    "header-sent": ["vector", "header-sent"],
    "ct1-received": ["vector-ct1-ack", "ct1-received"],
    "vector-sent": ["ct1-ack", "vector-sent"],
    "no-header": ["none", "no-header"],
    "header-received": ["ct1", "ct1-sampled"],
    "ct1-sampled": ["ct1", "ct1-sampled"],
    "vector-received": ["ct1", "vector-received"],
    "ct1-acknowledged": ["none", "ct1-acknowledged"],
    "ct2-sampled": ["ct2", "ct2-sampled"],
  };

  test.each(KINDS)("%s", (kind) => {
    const before = braidIn(kind);
    const { braid, payload, secret } = braidSend(before, new Attempt(), seededRandom(7));
    expect([payload.kind, braid.kind]).toEqual(SENDS[kind]);
    expect(braid.epoch).toBe(before.epoch);
    expect(secret !== undefined).toBe(kind === "header-received");
  });
});

describe("what each piece of the same epoch does; everything else is the very same state", () => {
  const TAKES: Readonly<Record<Kind, Partial<Record<Piece, Kind>>>> = {
    "keys-unsampled": {},
    "keys-sampled": { ct1: "header-sent" },
    "header-sent": { ct1: "header-sent" },
    "ct1-received": { ct2: "vector-sent" },
    "vector-sent": { ct2: "vector-sent" },
    "no-header": { header: "no-header" },
    "header-received": {},
    "ct1-sampled": { vector: "ct1-sampled", "vector-ct1-ack": "ct1-acknowledged" },
    "vector-received": { "ct1-ack": "ct2-sampled", "vector-ct1-ack": "ct2-sampled" },
    "ct1-acknowledged": { vector: "ct1-acknowledged", "vector-ct1-ack": "ct1-acknowledged" },
    "ct2-sampled": {},
  };

  test.each(KINDS)("%s", (kind) => {
    const before = braidIn(kind);
    for (const name of PIECES) {
      const { braid, secret } = braidReceive(before, before.epoch, piece(name), new Attempt());
      expect(secret).toBeUndefined();
      expect(braid === before).toBe(TAKES[kind][name] === undefined);
      expect([name, braid.kind]).toEqual([name, TAKES[kind][name] ?? kind]);
      expect(braid.epoch).toBe(before.epoch);
    }
  });
});

describe("epochs", () => {
  test.each(KINDS)("%s takes nothing from an earlier epoch", (kind) => {
    const before = braidIn(kind);
    for (const name of PIECES) expect(braidReceive(before, before.epoch - 1, piece(name), new Attempt()).braid).toBe(before);
  });

  test.each(KINDS)("%s refuses an epoch that cannot have begun", (kind) => {
    const before = braidIn(kind);
    for (const name of PIECES) {
      expect(() => braidReceive(before, before.epoch + 2, piece(name), new Attempt())).toThrow("too-far-ahead");
      if (kind !== "ct2-sampled") {
        expect(() => braidReceive(before, before.epoch + 1, piece(name), new Attempt())).toThrow("too-far-ahead");
        continue;
      }
      const { braid, secret } = braidReceive(before, before.epoch + 1, piece(name), new Attempt());
      expect([braid.kind, braid.epoch, secret]).toEqual(["keys-unsampled", before.epoch + 1, undefined]);
    }
  });
});

/** One side of a braid alone: what it is in, and every secret that it gave out with its epoch. */
class Side {
  braid: Braid;
  readonly secrets: (readonly [number, string])[] = [];
  readonly #random = seededRandom(8);

  constructor(role: "key" | "ciphertext") {
    this.braid = startBraid(role, startAuthenticator(authKey(), new Attempt()));
  }

  /** `meddle` sees what is on the way, before the honest piece arrives or instead of it. */
  sendTo(other: Side, meddle: (payload: BraidPayload, receiver: Braid) => BraidPayload = (payload) => payload): void {
    const { epoch } = this.braid;
    const sent = braidSend(this.braid, new Attempt(), this.#random);
    this.#become(sent);
    other.#become(braidReceive(other.braid, epoch, meddle(sent.payload, other.braid), new Attempt()));
  }

  #become({ braid, secret }: BraidStep): void {
    if (secret !== undefined) this.secrets.push([this.braid.epoch, toHex(secret)]);
    this.braid = braid;
  }
}

test("both sides give out the secret of every epoch once, the same, and no two are alike", () => {
  const [a, b] = [new Side("key"), new Side("ciphertext")];
  repeatUntil(
    () => a.braid.epoch >= 6 && b.braid.epoch >= 6,
    () => {
      a.sendTo(b);
      b.sendTo(a);
    },
  );
  const common = a.secrets.slice(0, 5);
  expect(common.map(([epoch]) => epoch)).toEqual([1, 2, 3, 4, 5]);
  expect(b.secrets.slice(0, 5)).toEqual(common);
  expect(new Set(common.map(([, secret]) => secret)).size).toBe(5);
});

test("roles swap with the epoch: who had the key makes the next ciphertext", () => {
  const [a, b] = [new Side("key"), new Side("ciphertext")];
  const holders = new Set<string>();
  repeatUntil(
    () => a.braid.epoch >= 5,
    () => {
      if (a.braid.kind === "keys-sampled") holders.add(`a ${a.braid.epoch}`);
      if (b.braid.kind === "keys-sampled") holders.add(`b ${b.braid.epoch}`);
      a.sendTo(b);
      b.sendTo(a);
    },
  );
  expect([...holders]).toEqual(["a 1", "b 2", "a 3", "b 4"]);
});

function damaged(payload: BraidPayload): BraidPayload {
  if (!("chunk" in payload)) return payload;
  const { index, data } = payload.chunk;
  return { kind: payload.kind, chunk: { index, data: data.map((byte, at) => (at === 31 ? byte ^ 1 : byte)) } };
}

test("a damaged piece is refused at the moment that it completes something, and the honest one then completes it", () => {
  const [a, b] = [new Side("key"), new Side("ciphertext")];
  const refused: string[] = [];
  const tryDamaged = (payload: BraidPayload, receiver: Braid): BraidPayload => {
    try {
      braidReceive(receiver, receiver.epoch, damaged(payload), new Attempt());
    } catch (error) {
      refused.push(`${payload.kind} in ${receiver.kind} of ${receiver.epoch}: ${String(error instanceof ProtocolError && error.code)}`);
    }
    return payload;
  };
  repeatUntil(
    () => a.braid.epoch >= 3 && b.braid.epoch >= 3,
    () => {
      a.sendTo(b, tryDamaged);
      b.sendTo(a, tryDamaged);
    },
  );
  expect(refused.slice(0, 6)).toEqual(
    [1, 2].flatMap((epoch) => [
      `header in no-header of ${epoch}: bad-tag`,
      `vector-ct1-ack in ct1-acknowledged of ${epoch}: bad-key`,
      `ct2 in vector-sent of ${epoch}: bad-tag`,
    ]),
  );
});

test("a damaged first half of the ciphertext ends at the MAC over both halves, in the same epoch", () => {
  const [a, b] = [new Side("key"), new Side("ciphertext")];
  const spoil = (payload: BraidPayload): BraidPayload => (payload.kind === "ct1" ? damaged(payload) : payload);
  const converse = (): void => {
    for (let turn = 0; turn < 200; turn++) {
      a.sendTo(b);
      b.sendTo(a, spoil);
    }
  };
  expect(converse).toThrow("bad-tag");
  expect([a.braid.kind, a.braid.epoch, a.secrets.length]).toEqual(["vector-sent", 1, 0]);
});

test("the chunks of each part count from zero", () => {
  const [a, b] = [new Side("key"), new Side("ciphertext")];
  const counted = new Map<string, number[]>();
  const count = (payload: BraidPayload, receiver: Braid): BraidPayload => {
    if (!("chunk" in payload) || receiver.epoch !== 1) return payload;
    // A vector goes on with its own count when the chunk also acknowledges.
    const part = payload.kind === "vector-ct1-ack" ? "vector" : payload.kind;
    counted.set(part, [...(counted.get(part) ?? []), payload.chunk.index]);
    return payload;
  };
  repeatUntil(
    () => a.braid.epoch >= 2,
    () => {
      a.sendTo(b, count);
      b.sendTo(a, count);
    },
  );
  expect([...counted.keys()].sort()).toEqual(["ct1", "ct2", "header", "vector"]);
  for (const indexes of counted.values()) expect(indexes).toEqual(indexes.map((_, position) => position));
});
