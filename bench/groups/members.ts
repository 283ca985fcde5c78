// The members of a group as light readers: each has a socket and acknowledges what comes on it. Nobody pings, so they stay for
// less than the 75 seconds after which our server takes a silent socket for a dead one. Knows no server.

const PATIENCE_MILLISECONDS = 60_000;

/** How one member listens: with what a message is known by, until `signal` aborts; `onEmpty` when all that waited has come. */
export type Listen = (take: (name: string) => void, signal: AbortSignal, onEmpty: () => void) => Promise<void>;

interface Awaited {
  /** Members who have not got it. */
  readonly missing: Set<number>;
  readonly arrived: (at: number) => void;
}

/** Their sockets are open as long as they are in use. */
export async function withMembers<T>(members: readonly Listen[], use: (members: Members) => Promise<T>): Promise<T> {
  const opened = await Members.open(members);
  try {
    return await use(opened);
  } finally {
    opened.end();
  }
}

export class Members {
  readonly #awaited = new Map<string, Awaited>();
  readonly #stop = new AbortController();
  readonly #numbers: readonly number[];

  private constructor(count: number) {
    this.#numbers = Array.from({ length: count }, (_, member) => member);
  }

  /** Resolves when every socket is open. */
  static async open(members: readonly Listen[]): Promise<Members> {
    const opened = new Members(members.length);
    await Promise.all(
      members.map(async (listen, member) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        void listen((name) => opened.#take(name, member), opened.#stop.signal, resolve);
        await promise;
      }),
    );
    return opened;
  }

  /** When the last of them got the message. Ask before it is sent. */
  async arrival(name: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const missing = new Set(this.#numbers);
    this.#awaited.set(name, { missing, arrived: resolve });
    const timer = setTimeout(() => reject(new Error(`${missing.size} of ${this.#numbers.length} never got it`)), PATIENCE_MILLISECONDS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#awaited.delete(name);
    }
  }

  end(): void {
    this.#stop.abort();
  }

  #take(name: string, member: number): void {
    const awaited = this.#awaited.get(name);
    if (awaited?.missing.delete(member) === true && awaited.missing.size === 0) awaited.arrived(performance.now());
  }
}
