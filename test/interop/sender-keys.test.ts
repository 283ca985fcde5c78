import { describe, expect, test } from "vitest";
import { createSenderKey, distributeSenderKey, learnSenderKey, openFromGroup, sealForGroup } from "../../protocol/index.ts";
import { ascii, type Bytes, copy, MAX_FORWARD_JUMP, parseDistributionId } from "../../wire/index.ts";
import { seededDice } from "../support/random.ts";
import { LIBRARIES } from "./library.ts";
import { accepted, type Ours } from "./ours.ts";
import { isRefused } from "./party.ts";
import type { Peer } from "./peer.ts";
import { ALICE, BOB, flipped, SealedWorld } from "./sealed-world.ts";

const DISTRIBUTION = parseDistributionId("d1d1d1d1-7000-4000-8000-0123456789ab");
const SEEDS = [1, 2, 3, 4];
const MESSAGES = 150;

/** One who writes to the group and one who reads, whoever they are. */
interface Channel {
  distribute(): Promise<Bytes>;
  learn(distribution: Bytes): Promise<void>;
  seal(plaintext: Bytes): Promise<Bytes>;
  open(message: Bytes): Promise<Bytes>;
}

function fromOurs(ours: Ours, theirs: Peer): Channel {
  return {
    async distribute() {
      const record = ours.senderKey(ALICE);
      const outcome = record.length === 0 ? createSenderKey(record, DISTRIBUTION, ours.random) : distributeSenderKey(record, DISTRIBUTION);
      return ours.commitSenderKey(ALICE, outcome);
    },
    learn: (distribution) => theirs.learn(ALICE, distribution),
    seal: async (plaintext) => ours.commitSenderKey(ALICE, sealForGroup(ours.senderKey(ALICE), DISTRIBUTION, plaintext)),
    open: (message) => theirs.openFromGroup(ALICE, message),
  };
}

function fromTheirs(theirs: Peer, ours: Ours): Channel {
  return {
    distribute: () => theirs.distribute(DISTRIBUTION),
    async learn(distribution) {
      ours.commitSenderKey(BOB, learnSenderKey(ours.senderKey(BOB), distribution));
    },
    seal: (plaintext) => theirs.sealForGroup(DISTRIBUTION, plaintext),
    open: async (message) => copy(ours.commitSenderKey(BOB, openFromGroup(ours.senderKey(BOB), message))),
  };
}

function plaintextOf(number: number): Bytes {
  return ascii(`message ${number} ${"x".repeat((number * 13) % 200)}`);
}

describe.each(LIBRARIES)("sender keys with $version", (library) => {
  describe.each(["ours", "theirs"] as const)("written by %s", (writer) => {
    const channelOf = (seed: number): Channel => {
      const { ours, theirs } = new SealedWorld(library, seed);
      return writer === "ours" ? fromOurs(ours, theirs) : fromTheirs(theirs, ours);
    };

    test.each(SEEDS)("a quarter lost, the rest in any order: everything that arrives opens, once (seed %i)", async (seed) => {
      const channel = channelOf(seed);
      const dice = seededDice(seed);
      await channel.learn(await channel.distribute());
      const arriving: { readonly number: number; readonly message: Bytes; readonly at: number }[] = [];
      for (let number = 0; number < MESSAGES; number++) {
        const message = await channel.seal(plaintextOf(number));
        if (!dice.chance(0.25)) arriving.push({ number, message, at: number + dice.roll(40) });
      }
      for (const { number, message } of arriving.toSorted((a, b) => a.at - b.at)) {
        expect(await channel.open(message)).toEqual(plaintextOf(number));
        expect(await isRefused(() => channel.open(message))).toBe(true);
      }
      expect(arriving.length).toBeGreaterThan(MESSAGES / 2);
    });

    test("one who comes later opens what comes later, and nothing from before", async () => {
      const channel = channelOf(6);
      await channel.distribute();
      const before = await channel.seal(plaintextOf(1));
      await channel.learn(await channel.distribute());
      expect(await isRefused(() => channel.open(before))).toBe(true);
      expect(await channel.open(await channel.seal(plaintextOf(2)))).toEqual(plaintextOf(2));
    });

    test("a distribution message that comes again changes nothing", async () => {
      const channel = channelOf(7);
      const distribution = await channel.distribute();
      await channel.learn(distribution);
      const messages = [await channel.seal(plaintextOf(1)), await channel.seal(plaintextOf(2))] as const;
      expect(await channel.open(messages[0])).toEqual(plaintextOf(1));
      await channel.learn(distribution);
      expect(await isRefused(() => channel.open(messages[0]))).toBe(true);
      expect(await channel.open(messages[1])).toEqual(plaintextOf(2));
    });

    test("an altered message is refused, and the honest one opens after it", async () => {
      const channel = channelOf(8);
      await channel.learn(await channel.distribute());
      const message = await channel.seal(plaintextOf(1));
      for (let position = 0; position < message.length; position++) {
        expect(await isRefused(() => channel.open(flipped(message, position))), `byte ${position}`).toBe(true);
      }
      expect(await channel.open(message)).toEqual(plaintextOf(1));
    });
  });

  test("after a rotation the new chain opens, and what was under way in the old one", async () => {
    const { ours, theirs, random } = new SealedWorld(library, 9);
    const channel = fromOurs(ours, theirs);
    await channel.learn(await channel.distribute());
    const underWay = await channel.seal(plaintextOf(1));
    await channel.learn(ours.commitSenderKey(ALICE, createSenderKey(ours.senderKey(ALICE), DISTRIBUTION, random)));
    expect(await channel.open(await channel.seal(plaintextOf(2)))).toEqual(plaintextOf(2));
    expect(await channel.open(underWay)).toEqual(plaintextOf(1));
  });

  test("a jump of 25,000 opens for both, and one further is refused by both", { timeout: 120_000 }, async () => {
    const { ours, theirs } = new SealedWorld(library, 10);
    const channel = fromOurs(ours, theirs);
    const distribution = await channel.distribute();
    await channel.learn(distribution);
    ours.commitSenderKey(BOB, learnSenderKey(ours.senderKey(BOB), distribution));
    let record = ours.senderKey(ALICE);
    let [allowed, last]: readonly Bytes[] = [];
    for (let iteration = 0; iteration <= MAX_FORWARD_JUMP + 1; iteration++) {
      const { state, output } = accepted(sealForGroup(record, DISTRIBUTION, ascii("far")));
      [record, allowed, last] = [state, last, output];
    }
    if (allowed === undefined || last === undefined) throw new RangeError("two messages");
    const tooFar = last;
    expect(await isRefused(() => channel.open(tooFar))).toBe(true);
    expect(openFromGroup(ours.senderKey(BOB), tooFar)).toEqual({ kind: "refused", code: "too-far-ahead" });
    expect(await channel.open(allowed)).toEqual(ascii("far"));
    expect(accepted(openFromGroup(ours.senderKey(BOB), allowed)).output).toEqual(ascii("far"));
  });
});
