// What the platform bills for one message to a hundred members who are online, with one device each, and what that costs. Counted,
// not timed. Time that an object is awake is billed besides, and rows that are read.

import type { Figure } from "../rounds.ts";

interface Units {
  readonly workerRequests: number;
  /** RPC calls and alarms. */
  readonly objectRequests: number;
  /** Inbound ones: acknowledgements. */
  readonly socketMessages: number;
  readonly rowsWritten: number;
  readonly queueOperations: number;
}

/** Dollars for a million, by the platform's price list. */
const PRICE: Units = { workerRequests: 0.3, objectRequests: 0.15, socketMessages: 0.0075, rowsWritten: 1, queueOperations: 0.4 };

const MEMBERS = 100;
/** Of 25 members each: test/durable-objects/fan-out.workerd.test.ts holds a message to a hundred to four references. */
const CHUNKS = 4;

/** The only message of its object within a day, which is the most that it can cost when nothing fails. */
const TO_MANY: Units = {
  // The message, the question how it went, and the consumer's batch, should that be billed as one.
  workerRequests: 3,
  // To the job: submit, result, and for each chunk open and settle; a mailbox each; the alarm after a minute and after a day.
  objectRequests: 2 + 2 * CHUNKS + MEMBERS + 2,
  socketMessages: MEMBERS,
  // In the job two when it is taken and six until its end (the same test), its result forgotten, two alarms set; in each mailbox
  // one to store (test/workers/send-to-many.workerd.test.ts) and one to acknowledge (test/durable-objects/accept.workerd.test.ts).
  rowsWritten: 2 + 6 + 1 + 2 + 2 * MEMBERS,
  // Each reference is written, read and deleted.
  queueOperations: 3 * CHUNKS,
};

/** A request each, as bench/server/units.ts counts it. */
const ONE_BY_ONE: Units = {
  workerRequests: MEMBERS,
  objectRequests: MEMBERS,
  socketMessages: MEMBERS,
  rowsWritten: 2 * MEMBERS,
  queueOperations: 0,
};

export const BILLED_AT_ONCE = figuresOf(TO_MANY);
export const BILLED_ONE_BY_ONE = figuresOf(ONE_BY_ONE);

function figuresOf(units: Units): readonly Figure[] {
  const price =
    units.workerRequests * PRICE.workerRequests +
    units.objectRequests * PRICE.objectRequests +
    units.socketMessages * PRICE.socketMessages +
    units.rowsWritten * PRICE.rowsWritten +
    units.queueOperations * PRICE.queueOperations;
  const work = `billed for a message to ${MEMBERS}`;
  return [
    { work, unit: "queue operations (cost)", value: units.queueOperations },
    { work, unit: "rows written (cost)", value: units.rowsWritten },
    { work, unit: "requests of objects (cost)", value: units.objectRequests },
    { work, unit: "$ per million messages (cost)", value: price },
  ];
}
