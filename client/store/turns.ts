// Turns at a store: one transaction after another, in the order in which they were asked for. Does not know what a
// transaction is, nor whether it succeeded.

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything that was asked for before is over. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.then(ignore, ignore);
    return turn;
  }
}

function ignore(): void {}
