// One run: a seed decides who there is, what they do, and what goes wrong. Afterwards nothing goes wrong any more, and what
// the checks find is the result.

import { ClientError } from "../../client/errors.ts";
import type { Dice } from "../support/random.ts";
import { checkAll, checkNames, isAllShown } from "./checks.ts";
import { Ledger, type Problem } from "./ledger.ts";
import { Person, type StoreImage } from "./person.ts";
import { inSimulation, type Simulation } from "./platform/simulation.ts";
import type { Program, ServerImage } from "./platform/server.ts";
import { CALM, type Faults, STORM } from "./platform/surroundings.ts";
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
  readonly shown: number;
  /** What came too late because the server had let others go before it. */
  readonly excused: readonly Problem[];
  readonly clientCrashes: number;
  readonly serverCrashes: number;
  readonly ratchetMessages: number;
  /** Of virtual time. */
  readonly milliseconds: number;
}

const NAMES = ["alice", "bob", "carol", "dave"];
const ACTIONS = 24;
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
    const people = await act(subject, simulation, ledger, beginning);
    const { clock, server } = simulation;
    const report = {
      seed,
      problems: ledger.problems,
      acknowledged: ledger.texts.filter(({ isAcknowledged }) => isAcknowledged).length,
      shown: sum(people.map(({ shown }) => shown.length)),
      excused: ledger.excused,
      clientCrashes: sum(people.map(({ crashes }) => crashes)),
      serverCrashes: server.crashes,
      ratchetMessages: watch.seen,
      milliseconds: clock.nowMilliseconds() - simulation.began,
    };
    for (const person of people) person.end();
    return report;
  });
}

/** Registers everybody in peace. */
export async function prepare(subject: Subject, seed: number): Promise<Beginning> {
  return await inSimulation({ ...subject, seed }, async (simulation) => {
    const { clock, server } = simulation;
    const people = NAMES.map((name) => personOf(name, subject, simulation, new Ledger(), { crashClient: 0, absence: 0, acceptAtOnce: 0 }));
    for (const person of people) void person.live();
    const isReady = await clock.runUntil(() => people.every(({ userId }) => userId !== undefined), PATIENCE_MILLISECONDS);
    if (!isReady) throw new Error("nobody could register");
    await clock.pass(ROUND_MILLISECONDS);
    for (const person of people) person.end();
    await clock.pass(1000);
    const stores = await clock.runFor(Promise.all(people.map((person) => person.image())));
    return { atMilliseconds: clock.nowMilliseconds(), server: server.image(), stores };
  });
}

async function act(subject: Subject, simulation: Simulation, ledger: Ledger, beginning: Beginning | undefined): Promise<readonly Person[]> {
  const { clock, dice } = simulation;
  const storm = stormOf(dice);
  const names = NAMES.slice(0, 2 + dice.roll(3));
  const people = names.map((name, i) => personOf(name, subject, simulation, ledger, storm, beginning?.stores[i]));
  const faults = faultsOf(dice);
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

function personOf(name: string, subject: Subject, simulation: Simulation, ledger: Ledger, storm: Storm, store?: StoreImage): Person {
  const { createClient } = subject;
  return new Person({ name, simulation, ledger, storm, createClient, ...(store === undefined ? {} : { store }) });
}

/** Some of the faults, each as bad as it comes: where everything goes wrong at once, little happens. */
function faultsOf(dice: Dice): Faults {
  const some = Object.entries(STORM).map(([name, worst]) => [
    name,
    dice.chance(0.5) ? CALM[name as keyof Faults] : worst * dice.pick([0.3, 1, 3]),
  ]); // the keys of a Faults
  return { ...CALM, ...(Object.fromEntries(some) as Faults), outage: STORM.outage }; // as above
}

function stormOf(dice: Dice): Storm {
  return {
    crashClient: dice.chance(0.4) ? 0 : dice.pick([0.0005, 0.001, 0.003]),
    absence: dice.pick([1000, 20_000, 200_000]),
    acceptAtOnce: dice.pick([0, 0.5, 1]),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
