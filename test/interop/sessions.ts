// What has to hold of sessions between our implementation and a version of the official library. The measure is the
// library with itself: it too loses a message that comes after its chain was given up, and only those may we lose.

import { describe, expect, test } from "vitest";
import { ascii } from "../../wire/index.ts";
import { addressOf } from "../support/devices.ts";
import { chooseBackend } from "./backends.ts";
import { converse, type Report } from "./conversation.ts";
import type { Library } from "./library.ts";
import { Ours } from "./ours.ts";
import type { OneTimeKeys, Party } from "./party.ts";
import { Peer } from "./peer.ts";
import { planConversation, STORM, type Weather } from "./schedule.ts";

const FIRST = addressOf(1);
const SECOND = addressOf(2, 3);
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
/** Enough for the shorter conversations, of which each has four beginnings. */
const FEWER_SEEDS = SEEDS.slice(0, 10);
const MIN_EPOCHS = 5;
const SOAK_MILLISECONDS = 180_000;
const ONE_TIME_KEYS: readonly OneTimeKeys[] = ["with one-time prekeys", "without one-time prekeys"];

type Beginner = "ours" | "theirs";

/** Both begin at once, and three times in between somebody begins anew: the old sessions' messages are still under way. */
const BROKEN: Weather = { ...STORM, messages: 300, simultaneous: true, restarts: 3 };

export function describeSessions(library: Library): void {
  describe(`sessions with ${library.version}`, () => {
    const measureStorm = baselineOf(library, STORM);
    const measureBroken = baselineOf(library, BROKEN);

    for (const beginner of ["ours", "theirs"] as const) {
      for (const keys of ONE_TIME_KEYS) {
        test(
          `${beginner} begins, ${keys}: in a storm of 1,000 messages nothing fails but what fails between two of theirs`,
          { timeout: SOAK_MILLISECONDS },
          async () => {
            for (const seed of SEEDS) {
              const { parties } = meet(library, beginner, seed);
              const report = await converse(parties, planConversation(seed, STORM), keys);
              expectNoWorse(report, await measureStorm(seed), seed);
              expect(report.epochs, `epochs with seed ${seed}`).toBeGreaterThanOrEqual(MIN_EPOCHS);
            }
          },
        );
      }

      test(
        `both begin at once, ${beginner} first, and begin anew under way: no worse than two of theirs, and then at one`,
        { timeout: SOAK_MILLISECONDS },
        async () => {
          for (const seed of FEWER_SEEDS) {
            const { parties, ours, theirs } = meet(library, beginner, seed);
            const report = await converse(parties, planConversation(seed, BROKEN), "with one-time prekeys");
            expectNoWorse(report, await measureBroken(seed), seed);
            await expectSettled(ours, theirs);
          }
        },
      );
    }
  });
}

/** Nothing that opened between two of theirs fails, and the post-quantum ratchet got as far. */
function expectNoWorse(report: Report, measure: Report, seed: number): void {
  const worse = [...report.failed].filter(([id]) => measure.opened.has(id));
  expect(worse, `failed only with us, seed ${seed}`).toEqual([]);
  expect(report.opened.size, `opened, seed ${seed}`).toBeGreaterThanOrEqual(measure.opened.size);
  expect(report.repeatsRefused, `repeats refused, seed ${seed}`).toBe(measure.repeatsRefused);
  expect(report.epochs, `epochs, seed ${seed}`).toBe(measure.epochs);
}

/** After the storm the two agree on one session: every message opens, none begins a session, none changes the session. */
async function expectSettled(ours: Ours, theirs: Peer): Promise<void> {
  const [we, they] = [ours.with(theirs.address), theirs.with(ours.address)];
  const exchange = async (text: string): Promise<readonly string[]> => {
    const plaintext = ascii(text);
    const question = await we.seal(plaintext);
    expect(await they.open(question)).toEqual(plaintext);
    const answer = await they.seal(plaintext);
    expect(await we.open(answer)).toEqual(plaintext);
    return [question.kind, answer.kind];
  };
  await exchange("calm");
  const settledOn = ours.session(theirs.address).current?.baseKey.encode();
  for (let round = 0; round < 3; round++) expect(await exchange(`round ${round}`)).toEqual(["message", "message"]);
  expect(ours.session(theirs.address).current?.baseKey.encode()).toEqual(settledOn);
}

interface Meeting {
  readonly ours: Ours;
  readonly theirs: Peer;
  readonly parties: readonly [Party, Party];
}

function meet(library: Library, beginner: Beginner, seed: number): Meeting {
  const random = chooseBackend(seed);
  const oursFirst = beginner === "ours";
  const ours = new Ours(oursFirst ? FIRST : SECOND, random);
  const theirs = new Peer(library, oursFirst ? SECOND : FIRST);
  const [we, they] = [ours.with(theirs.address), theirs.with(ours.address)];
  return { ours, theirs, parties: oursFirst ? [we, they] : [they, we] };
}

/** How two of the library fare in the same weather, once for each seed. */
function baselineOf(library: Library, weather: Weather): (seed: number) => Promise<Report> {
  const reports = new Map<number, Promise<Report>>();
  return (seed) => {
    const known = reports.get(seed);
    if (known !== undefined) return known;
    const [first, second] = [new Peer(library, FIRST), new Peer(library, SECOND)];
    const parties = [first.with(SECOND), second.with(FIRST)] as const;
    const report = converse(parties, planConversation(seed, weather), "with one-time prekeys");
    reports.set(seed, report);
    return report;
  };
}
