// Archives of messages on their way between our devices: whoever has one to make, to fetch or to take in goes on with it, now, after a
// failure and after an end of the program. How is give.ts's and take.ts's, loaded when there is something to do.

import type { HistoryTransfer } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { MediaServer } from "../media/media-server.ts";
import { encryptedMediaLength } from "#wire";
import { GIVEN_HISTORIES, type GivenHistory, TAKEN_HISTORY, type TakenHistory } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { Persevering } from "../sending/persevering.ts";
import { dropOrphans, failGiven, givenTo } from "./giving.ts";
import { endAbandoned } from "./taking.ts";

export class Histories extends Persevering {
  readonly #sending: Sending;
  readonly #server: () => Promise<MediaServer>;

  constructor(sending: Sending, server: () => Promise<MediaServer>) {
    super(sending, (signal) => this.#goOn(signal));
    this.#sending = sending;
    this.#server = server;
  }

  async #goOn(signal: AbortSignal): Promise<undefined> {
    const { given, taken } = await this.#sending.vault.write(async (records) => {
      await endAbandoned(this.#sending, records);
      await dropOrphans(this.#sending, records);
      return {
        // Also what is written: its device may be gone, and then it is forgotten.
        given: await records.all(GIVEN_HISTORIES),
        taken: await records.get(TAKEN_HISTORY),
      };
    });
    for (const one of given) await this.#give(one, signal);
    if (taken === undefined || !hasWork(taken)) return;
    const { takeArchive } = await import("./take.ts");
    await takeArchive({ sending: this.#sending, server: await this.#server(), signal });
  }

  async #give({ deviceId }: GivenHistory, signal: AbortSignal): Promise<void> {
    const { writeArchive } = await import("./give.ts");
    try {
      await writeArchive(this.#sending, deviceId, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ClientError) || error.retryable) throw error;
      await this.#sending.vault.write(async (records) => {
        const given = await givenTo(this.#sending, records, deviceId);
        if (given !== undefined) await failGiven(this.#sending, records, given, error.code);
      });
    }
  }
}

function hasWork({ state, fetched, next }: TakenHistory): boolean {
  return state === "fetching" || state === "importing" || (state !== "coming" && (fetched > 0 || next !== undefined));
}

/** Whether something is still to be done here. */
export async function isTransferring(records: Reader): Promise<boolean> {
  const taken = await records.get(TAKEN_HISTORY);
  const given = await records.all(GIVEN_HISTORIES);
  return (taken !== undefined && hasWork(taken)) || given.some(({ state }) => state !== "failed");
}

export async function transfersIn(records: Reader): Promise<readonly HistoryTransfer[]> {
  const taken = await records.get(TAKEN_HISTORY);
  const given = await records.all(GIVEN_HISTORIES);
  return [...(taken === undefined ? [] : [comingOf(taken)]), ...given.map(goingOf)];
}

function comingOf({ from, state, files, fetched, imported, messages, error }: TakenHistory): HistoryTransfer {
  const isFetching = state === "coming" || state === "fetching";
  const total = isFetching ? files.reduce((sum, { size }) => sum + encryptedMediaLength(size), 0) : messages;
  const done = isFetching ? fetched : imported;
  return { direction: "from", deviceId: from, state, done, total, error };
}

function goingOf({ deviceId, state, files, messages, error }: GivenHistory): HistoryTransfer {
  const stored = files.filter((file) => file.stored !== undefined).length;
  const progress = state === "sending" ? { done: stored, total: files.length } : { done: messages, total: 0 };
  return { direction: "to", deviceId, state, ...progress, error };
}
