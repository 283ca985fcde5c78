// A clock that goes by itself and that a test moves on: what a client waits for comes when the test says so.

import type { Clock } from "#client";

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

export class HandClock implements Clock {
  readonly #timers = new Set<Timer>();
  #ahead = 0;

  nowMilliseconds(): number {
    return Date.now() + this.#ahead;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = {
      due: this.nowMilliseconds() + milliseconds,
      fire: () => {
        stop();
        callback();
      },
    };
    const handle = setTimeout(timer.fire, milliseconds);
    const stop = (): void => {
      clearTimeout(handle);
      this.#timers.delete(timer);
    };
    this.#timers.add(timer);
    return stop;
  }

  moveOn(milliseconds: number): void {
    this.#ahead += milliseconds;
    const now = this.nowMilliseconds();
    const due = [...this.#timers].filter((timer) => timer.due <= now).toSorted((a, b) => a.due - b.due);
    for (const timer of due) if (this.#timers.has(timer)) timer.fire();
  }
}
