// Random histories with concurrent authors under the server's compare-and-set, rubbish and attempts without the role in between: all
// who read honestly end in one state, whether they read all of it, a part at a time, or began in the middle.

import { Secret } from "#crypto";
import { applyGroupEntry, type AuthoredEntry, type GroupIntent, openGroupEntry, stateHashOf } from "#protocol";
import { copy, type GroupState, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { found, Owner } from "../../support/accounts.ts";
import { forgeEntry, sealedFor } from "../../support/group-forge.ts";
import { Seat, Town } from "../../support/groups.ts";
import { type Dice, seededDice } from "../../support/random.ts";

interface Epoch {
  readonly fromVersion: number;
  readonly secret: Secret;
}

/** A history, its town, and every epoch's secret: what a member who was there all the time has had. */
function history(seed: number, people: number, steps: number): { readonly town: Town; readonly epochs: readonly Epoch[] } {
  const town = new Town(seed, people);
  const dice = seededDice(seed);
  const epochs: Epoch[] = [];
  const note = (seat: Seat, fromVersion: number): void => {
    epochs.push({ fromVersion, secret: new Secret(copy(found(seat.current.secrets).groupSecret.expose())) });
  };
  note(town.seat(0), 1);
  for (let step = 0; step < steps; step++) {
    const present = town.seats.filter(isPresent);
    // Some lag behind: they author on an old state and lose.
    for (const seat of present) if (dice.chance(0.6)) town.catchUp(seat);
    if (dice.chance(0.15)) disturb(town, dice.pick(town.seats.filter(isPresent)), dice);
    for (let author = 0; author < 2; author++) attemptOne(town, dice, note);
  }
  return { town, epochs };
}

function isPresent(seat: Seat): boolean {
  return seat.record?.secrets !== undefined;
}

/** One person tries one thing on what it has read; the server takes it if the place is free. */
function attemptOne(town: Town, dice: Dice, note: (seat: Seat, fromVersion: number) => void): void {
  const present = town.seats.filter(isPresent);
  if (present.length === 0) return;
  const author = dice.pick(present);
  const intent = dice.pick(INTENTS)(town, author, dice);
  if (intent === undefined) return;
  const { groupSecret } = found(author.current.secrets);
  const keys = new Secret(copy(groupSecret.expose()));
  const done = town.author(author, intent, author.read + 1);
  if (done.kind === "refused") return;
  // The compare-and-set: whoever has not read to the end loses.
  if (done.output.version !== town.log.length + 1) return;
  town.log.push(done.output.ciphertext);
  author.record = done.state;
  author.read = town.log.length;
  for (const secret of done.spent) secret.wipe();
  if (done.output.newKeys !== undefined) note(author, done.output.version + 1);
  if (intent.kind === "add") welcome(town, done.output, intent, keys);
}

function welcome(town: Town, added: AuthoredEntry, intent: GroupIntent & { kind: "add" }, groupSecret: Secret): void {
  for (const { userId } of intent.members) {
    const seat = found(town.seats.find((other) => other.userId === userId));
    town.join(seat, added, groupSecret);
  }
}

/** What must leave no trace: rubbish, and an admin's operation by whoever happens to be there, on whatever state that is. */
function disturb(town: Town, seat: Seat, dice: Dice): void {
  if (dice.chance(0.5)) town.log.push(new Uint8Array(4096 + 40));
  else town.log.push(sealedFor(town, seat, forgeEntry(town, seat, { statement: { previousHead: new Uint8Array(32) } })));
}

const INTENTS: readonly ((town: Town, author: Seat, dice: Dice) => GroupIntent | undefined)[] = [
  add,
  add,
  (town, _, dice) => ({ kind: "remove", userIds: [dice.pick(town.seats).userId] }),
  (_, author) => (author.current.state.members.length > 2 ? { kind: "leave" } : undefined),
  (_, __, dice) => ({ kind: "rename", title: `title ${dice.roll(1000)}` }),
  (town, _, dice) => ({ kind: "promote", userId: dice.pick(town.seats).userId }),
  (town, _, dice) => ({ kind: "promote", userId: dice.pick(town.seats).userId }),
  (town, _, dice) => ({ kind: "demote", userId: dice.pick(town.seats).userId }),
  () => ({ kind: "rotate" }),
  (_, __, dice) => ({ kind: "invite", uses: 1 + dice.roll(3), expiresSeconds: 2_000_000_000, approval: dice.chance(0.5) }),
];

function add(town: Town, author: Seat, dice: Dice): GroupIntent | undefined {
  const outside = town.seats.filter((seat) => seat.record?.secrets === undefined && !isListed(author, seat));
  return outside.length === 0 ? undefined : { kind: "add", members: [dice.pick(outside).owner.account] };
}

function isListed(author: Seat, { userId }: Seat): boolean {
  return author.current.state.members.some((member) => member.userId === userId);
}

const SEEDS = fc.record({ seed: fc.integer({ min: 1, max: 1_000_000 }), people: fc.integer({ min: 3, max: 8 }) });

test("all who read the log to its end have one state, those who began in the middle as well", () => {
  let entries = 0;
  let skipped = 0;
  let epochs = 0;
  fc.assert(
    fc.property(SEEDS, ({ seed, people }) => {
      const done = history(seed, people, 14);
      const { town } = done;
      town.catchUpAll();
      const present = town.seats.filter(isPresent);
      for (const seat of present) expect([seat.stopped, seat.read]).toEqual([undefined, town.log.length]);
      const members = present.map((seat) => seat.hash);
      expect(new Set(members).size).toBeLessThanOrEqual(1);
      // Whoever is listed can read, and nobody else.
      for (const seat of present) {
        const listed = seat.current.state.members.map(({ userId }) => userId);
        expect(present.map(({ userId }) => userId).sort()).toEqual(listed);
        expect(seat.current.secrets?.adminSecret !== undefined).toBe(
          seat.current.state.members.find(({ userId }) => userId === seat.userId)?.role === "admin",
        );
      }
      entries += town.log.length;
      skipped += present.reduce((sum, seat) => sum + seat.skipped.length, 0);
      epochs += done.epochs.length;
    }),
    { seed: 7, numRuns: 20 },
  );
  // Histories in which nothing happened would show nothing.
  expect([entries > 150, skipped > 20, epochs > 30]).toEqual([true, true, true]);
});

test("every prefix can be verified from the first entry on, and gives each reader's state at that place", () => {
  fc.assert(
    fc.property(SEEDS, ({ seed, people }) => {
      const { town, epochs } = history(seed, people, 12);
      town.catchUpAll();
      const { groupId, keyOf } = town;
      let state: GroupState | undefined;
      for (let version = 1; version <= town.log.length; version++) {
        const { secret } = found(epochs.findLast(({ fromVersion }) => fromVersion <= version));
        const entry = tryOpen(() => openGroupEntry(town.at(version), { groupId, version }, secret));
        const applied = entry && applyGroupEntry(state, entry, { groupId, version, keyOf });
        if (applied?.kind === "done") ({ state } = applied);
        expect(found(state).members.length).toBeLessThanOrEqual(8);
      }
      for (const seat of town.seats.filter(isPresent)) expect(seat.hash).toBe(toHex(stateHashOf(found(state))));
    }),
    { seed: 8, numRuns: 10 },
  );
});

test("what concurrent admins want is done once, in one order", () => {
  const town = new Town(99, 1);
  const admin = town.seat(0);
  const others = Array.from({ length: 5 }, (_, i) => new Seat(new Owner(7000 + i)));
  town.seats.push(...others);
  town.admit(admin, ...others);
  for (const seat of others) town.act(admin, { kind: "promote", userId: seat.userId });
  town.catchUpAll();
  const candidates = Array.from({ length: 6 }, (_, i) => new Owner(7100 + i).account);
  const wanted = town.seats.map((seat, at) => ({ seat, intent: { kind: "add", members: [found(candidates[at])] } as const }));
  let rounds = 0;
  for (let waiting = wanted; waiting.length > 0; rounds++) {
    // All author on the same state; the server takes the first.
    const proposals = waiting.map(({ seat, intent }) => ({ seat, done: town.author(seat, intent) }));
    const [winner] = proposals;
    if (winner?.done.kind !== "done") throw new Error("refused");
    town.log.push(winner.done.output.ciphertext);
    winner.seat.record = winner.done.state;
    winner.seat.read = town.log.length;
    for (const { seat, done } of proposals.slice(1)) {
      if (done.kind === "done") expect(town.offer(seat, town.at(town.log.length), town.log.length).kind).toBe("done");
      seat.read = town.log.length;
    }
    waiting = waiting.slice(1);
    town.catchUpAll();
  }
  expect(rounds).toBe(6);
  expect(new Set(town.seats.map((seat) => seat.hash)).size).toBe(1);
  expect(admin.current.state.members.length).toBe(12);
});

function tryOpen<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
