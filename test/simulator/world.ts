// One run: a seed decides who there is, what they do, and what goes wrong. Afterwards nothing goes wrong any more, and what
// the checks find is the result.

import { ClientError } from "../../client/errors.ts";
import type { Dice } from "../support/random.ts";
import { checkAll, checkNames, isAllShown } from "./checks.ts";
import { Ledger, type Problem } from "./ledger.ts";
import { Person, type PersonOptions, type StoreImage } from "./person.ts";
import { inSimulation, type Simulation } from "./platform/simulation.ts";
import type { Program, ServerImage } from "./platform/server.ts";
import { hasGroup, isToEverybody } from "./group-talk.ts";
import { CALM, type Faults, QUEUE_STORM, STORM } from "./platform/surroundings.ts";
import type { CreateClient, Storm } from "./storm.ts";
import { WireWatch } from "./wire-watch.ts";

export interface Subject {
  readonly program: Program;
  readonly schema: string;
  readonly createClient: CreateClient;
}

/** People who are registered, as they were left. */
export interface Beginning {
  readonly atMilliseconds: number;
  readonly server: ServerImage;
  readonly stores: readonly StoreImage[];
}

export interface Report {
  readonly seed: number;
  readonly problems: readonly Problem[];
  readonly acknowledged: number;
  /** Of them, what was said to a group. */
  readonly acknowledgedInGroups: number;
  readonly shown: number;
  /** What came too late because the server had let others go before it. */
  readonly excused: readonly Problem[];
  /** What came too late to a group because the queue had lost it on its way. */
  readonly excusedInGroups: readonly Problem[];
  readonly clientCrashes: number;
  readonly serverCrashes: number;
  readonly ratchetMessages: number;
  /** Of virtual time. */
  readonly milliseconds: number;
}

const NAMES = ["alice", "bob", "carol", "dave"];
const GROUP_SIZE = 3;
const ACTIONS = 24;
const CALM_STORM: Storm = { crashClient: 0, absence: 0, acceptAtOnce: 0, removal: 0 };
const REGISTRATION_MILLISECONDS = 30_000;
const PATIENCE_MILLISECONDS = 6 * 3_600_000;
const ROUND_MILLISECONDS = 100_000;
const ROUNDS = 3;
const MORE_ROUNDS = 20;

export async function runWorld(subject: Subject, seed: number, beginning?: Beginning): Promise<Report> {
  const from = beginning === undefined ? {} : { from: { image: beginning.server, atMilliseconds: beginning.atMilliseconds } };
  return await inSimulation({ ...subject, seed, ...from }, async (simulation) => {
    const ledger = new Ledger();
    const watch = new WireWatch(ledger);
    simulation.watch = watch;
    const people = await act({ subject, simulation, ledger, beginning, isGrouped: hasGroup(seed) });
    const { clock, server } = simulation;
    const acknowledged = ledger.texts.filter(({ isAcknowledged }) => isAcknowledged);
    const report = {
      seed,
      problems: ledger.problems,
      acknowledged: acknowledged.length,
      acknowledgedInGroups: acknowledged.filter(isToEverybody).length,
      shown: sum(people.map(({ shown }) => shown.length)),
      excused: ledger.excused,
      excusedInGroups: ledger.excusedInGroups,
      clientCrashes: sum(people.map(({ crashes }) => crashes)),
      serverCrashes: server.crashes,
      ratchetMessages: watch.seen,
      milliseconds: clock.nowMilliseconds() - simulation.began,
    };
    for (const person of people) person.end();
    return report;
  });
}

/** Registers everybody in peace, and lets the first three make a group where there is to be one. */
export async function prepare(subject: Subject, seed: number, kind: "alone" | "grouped"): Promise<Beginning> {
  return await inSimulation({ ...subject, seed }, async (simulation) => {
    const { clock, server } = simulation;
    const group = (): readonly Person[] => (kind === "grouped" ? people.slice(0, GROUP_SIZE) : []);
    const people: readonly Person[] = NAMES.map((name) =>
      personOf(name, { subject, simulation, ledger: new Ledger(), storm: CALM_STORM, group }),
    );
    for (const person of people) void person.live();
    const isReady = await clock.runUntil(() => people.every(({ userId }) => userId !== undefined), PATIENCE_MILLISECONDS);
    if (!isReady) throw new Error("nobody could register");
    await clock.pass(ROUND_MILLISECONDS);
    if (kind === "grouped") await formGroup(group(), simulation);
    for (const person of people) person.end();
    await clock.pass(1000);
    const stores = await clock.runFor(Promise.all(people.map((person) => person.image())));
    return { atMilliseconds: clock.nowMilliseconds(), server: server.image(), stores };
  });
}

async function formGroup(people: readonly Person[], { clock }: Simulation): Promise<void> {
  await clock.runFor(people[0]?.makeGroup() ?? Promise.resolve());
  for (let round = 0; round < ROUNDS; round++) {
    await clock.runFor(Promise.all(people.map((person) => person.settle())));
    await clock.pass(ROUND_MILLISECONDS);
  }
}

interface Scene {
  readonly subject: Subject;
  readonly simulation: Simulation;
  readonly ledger: Ledger;
  readonly beginning: Beginning | undefined;
  readonly isGrouped: boolean;
}

async function act({ subject, simulation, ledger, beginning, isGrouped }: Scene): Promise<readonly Person[]> {
  const { clock, dice } = simulation;
  const storm = { ...stormOf(dice), ...(isGrouped ? { removal: dice.pick([0, 0.1]) } : {}) };
  const names = NAMES.slice(0, isGrouped ? GROUP_SIZE : 2 + dice.roll(3));
  const group = (): readonly Person[] => (isGrouped ? people : []);
  const people: readonly Person[] = names.map((name, i) =>
    personOf(name, { subject, simulation, ledger, storm, group }, beginning?.stores[i]),
  );
  const faults = { ...CALM, ...someOf(dice, STORM), ...(isGrouped ? someOf(dice, QUEUE_STORM) : {}), outage: STORM.outage };
  simulation.faults = faults;
  if (beginning === undefined) {
    // Registrations are few; a server that crashes at every other step of them makes up for that.
    simulation.faults = { ...faults, crashServer: 0.05, crashObject: 0.05, outage: 500 };
    clock.after(REGISTRATION_MILLISECONDS, () => {
      if (simulation.faults !== CALM) simulation.faults = faults;
    });
  }
  for (const person of people) void person.live();
  let busy = people.length;
  for (const person of people) {
    const others = people.filter((one) => one !== person);
    void person.busy(others, ACTIONS).finally(() => busy--);
  }
  if (!(await clock.runUntil(() => busy === 0, PATIENCE_MILLISECONDS))) ledger.complain("stuck", "somebody is busy for ever");
  Object.assign(storm, { crashClient: 0, absence: 0 });
  simulation.faults = CALM;
  simulation.server.restart();
  for (const person of people) person.calmDown();
  await comeToRest(people, simulation, ledger);
  return people;
}

async function comeToRest(people: readonly Person[], { clock }: Simulation, ledger: Ledger): Promise<void> {
  const isThere = await clock.runUntil(() => people.every(({ isLive }) => isLive), PATIENCE_MILLISECONDS);
  if (!isThere) return ledger.complain("stuck", `never live again: ${people.map((person) => person.status).join(", ")}`);
  for (let round = 0; round < ROUNDS || (round < MORE_ROUNDS && !isAllShown(people, ledger)); round++) {
    const settled = Promise.all(people.map((person) => person.settle()));
    let isSettled = false;
    void settled.then(() => (isSettled = true));
    if (!(await clock.runUntil(() => isSettled, PATIENCE_MILLISECONDS)))
      return ledger.complain("stuck", "somebody owes something for ever");
    await clock.pass(ROUND_MILLISECONDS);
  }
  await clock.runFor(examine(people, ledger));
}

async function examine(people: readonly Person[], ledger: Ledger): Promise<void> {
  try {
    await checkAll(people, ledger);
    for (const person of people) await checkNames(person, people, ledger);
  } catch (error) {
    ledger.complain("exception", error instanceof ClientError ? `examining: ${error.code}` : String(error));
  }
}

type Part = Pick<PersonOptions, "simulation" | "ledger" | "storm" | "group"> & { readonly subject: Subject };

function personOf(name: string, { subject, ...part }: Part, store?: StoreImage): Person {
  const { createClient } = subject;
  return new Person({ name, ...part, createClient, ...(store === undefined ? {} : { store }) });
}

/** Some of the faults, each as bad as it comes: where everything goes wrong at once, little happens. */
function someOf<F extends Partial<Faults>>(dice: Dice, worstOf: F): F {
  const some = Object.entries(worstOf).map(([name, worst]) => [
    name,
    dice.chance(0.5) ? CALM[name as keyof Faults] : worst * dice.pick([0.3, 1, 3]),
  ]); // the keys of an F
  return Object.fromEntries(some) as F; // as above
}

function stormOf(dice: Dice): Storm {
  return {
    crashClient: dice.chance(0.4) ? 0 : dice.pick([0.0005, 0.001, 0.003]),
    absence: dice.pick([1000, 20_000, 200_000]),
    acceptAtOnce: dice.pick([0, 0.5, 1]),
    removal: 0,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
