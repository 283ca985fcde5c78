// What the platform bills for one message to one device that is online, and what that costs. Counted, not timed: the
// rows are what the tests of the mailbox hold it to. Time that an object is awake is billed besides.

import type { Figure } from "../rounds.ts";

interface Units {
  readonly workerRequests: number;
  /** RPC calls. */
  readonly objectRequests: number;
  /** Inbound ones: the acknowledgement. */
  readonly socketMessages: number;
  readonly rowsWritten: number;
}

/** Dollars for a million, by the platform's price list. */
const PRICE: Units = { workerRequests: 0.3, objectRequests: 0.15, socketMessages: 0.0075, rowsWritten: 1 };

/** Ours asks the sender's mailbox whether the device is active twice a minute at most, which is not counted here. */
const UNITS: Units = { workerRequests: 1, objectRequests: 1, socketMessages: 1, rowsWritten: 2 };

/** The same for both: the floor does the least that can be billed, and ours may not do more. */
export function units(): readonly Figure[] {
  const { workerRequests, objectRequests, socketMessages, rowsWritten } = UNITS;
  const price =
    workerRequests * PRICE.workerRequests +
    objectRequests * PRICE.objectRequests +
    socketMessages * PRICE.socketMessages +
    rowsWritten * PRICE.rowsWritten;
  return [
    { work: "billed for a message", unit: "rows written (cost)", value: rowsWritten },
    { work: "billed for a message", unit: "$ per million messages (cost)", value: price },
  ];
}
