// What one person of the bench can be asked to do, whoever plays them: our client, or the floor's. And what they say.

export interface Person {
  /** From nothing, or with what the file holds already. Returns where others write to. */
  open(place: Place): Promise<string>;
  /** Begins to receive, and to read what arrives. */
  connect(input: undefined): Promise<void>;
  /** When it began. Resolves when it is stored here. */
  say(input: { readonly to: string; readonly text: string }): Promise<number>;
  /** As fast as it goes. When it began; resolves when the server has all of it. */
  sayMany(input: { readonly to: string; readonly name: string; readonly count: number }): Promise<number>;
  /** When the program was given this text to show. */
  arrival(text: string): Promise<number>;
  /** Instead of `connect`: everything that waits, stored and acknowledged. */
  catchUp(input: { readonly from: string; readonly name: string; readonly count: number }): Promise<CaughtUp>;
  close(input: undefined): Promise<void>;
}

export interface Place {
  readonly server: string;
  readonly store: string;
}

export interface CaughtUp {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  /** The most that the process had at any time, above what it had before. */
  readonly grownBytes: number;
  /** Until a reader of the stored events has had them all; nothing for whom that is no step of its own. */
  readonly readMilliseconds: number | undefined;
}

/** A hundred bytes that are like no other. */
export function textOf(name: string, number: number): string {
  return `${name}, number ${number}: `.padEnd(100, ".");
}

export class Arrivals {
  readonly #times = new Map<string, number>();
  readonly #waiting = new Map<string, (time: number) => void>();

  /** Twice told is told once. */
  note(text: string, time: number): void {
    if (this.#times.has(text)) return;
    this.#times.set(text, time);
    this.#waiting.get(text)?.(time);
  }

  of(text: string): Promise<number> {
    const time = this.#times.get(text);
    if (time !== undefined) return Promise.resolve(time);
    return new Promise((resolve) => {
      this.#waiting.set(text, resolve);
    });
  }
}

/** What a stretch of work took from the machine. */
export class Usage {
  readonly #cpu = process.cpuUsage();
  readonly #resident = process.memoryUsage.rss();

  get cpuMilliseconds(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return (user + system) / 1000;
  }

  get grownBytes(): number {
    return process.resourceUsage().maxRSS * 1024 - this.#resident;
  }
}
