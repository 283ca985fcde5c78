// One Durable Object over all its lives: it wakes for a call, a frame or an alarm, sleeps when it has nothing to do, and
// crashes when the dice say so. Its disk and its sockets outlive its memory.

import { whenKnown } from "./outcome.ts";
import { type DiskImage, ObjectDisk, ObjectStorage } from "./object-storage.ts";
import { type Connection, type Frame, ObjectSocket } from "./sockets.ts";
import type { RequestResponsePair } from "./globals.ts";
import type { Surroundings } from "./surroundings.ts";

/** An instance of the object's class: what the platform calls on it, and its RPC methods. */
export type Instance = Readonly<Record<string, unknown>>;

/** Makes an instance. `isAlive` and `output` are for what it is bound to. */
export type Constructor = (state: object, life: Life) => Instance;

/** One life of an object, as what it calls sees it. */
export interface Life {
  isAlive(): boolean;
  /** Behind the gate. */
  leave(act: () => void): void;
}

export interface HostOptions {
  readonly name: string;
  readonly construct: Constructor;
  /** Lets the whole server crash, by chance. */
  readonly crashServer: () => boolean;
  readonly image?: DiskImage;
}

const ALARM_RETRY_MILLISECONDS = 2000;

export class ObjectHost {
  readonly #surroundings: Surroundings;
  readonly #options: HostOptions;
  readonly #disk: ObjectDisk;
  readonly #connections = new Set<Connection>();
  readonly #callers = new Set<(error: Error) => void>();
  #sockets = new Map<Connection, ObjectSocket>();
  #autoResponse: RequestResponsePair | undefined;
  #life = 0;
  #storage: ObjectStorage | undefined;
  #instance: Instance | undefined;
  #busy = 0;
  #cancelAlarm: (() => void) | undefined;

  constructor(surroundings: Surroundings, options: HostOptions) {
    this.#surroundings = surroundings;
    this.#options = options;
    const { image } = options;
    this.#disk = new ObjectDisk(surroundings, {
      crashes: () => this.#crashes(),
      onAlarm: (at) => this.#armAlarm(at),
      ...(image === undefined ? {} : { image }),
    });
    this.#armAlarm(image?.alarm);
  }

  /** RPC. Rejects when the object crashes before the answer has left. */
  call(method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#answered((instance) => {
      const run = instance[method];
      if (typeof run !== "function") throw new TypeError(`no method ${method}`);
      return run.apply(instance, args) as unknown; // what it returns is for the caller
    });
  }

  fetch(request: Request): Promise<unknown> {
    return this.call("fetch", [request]);
  }

  /** A frame from a client. */
  frame(connection: Connection, frame: Frame): void {
    if (this.#crashes()) return;
    if (frame.kind === "close") this.#clientClosed(connection, frame.code);
    else if (frame.data === this.#autoResponse?.request) {
      connection.answeredAt = this.#surroundings.clock.nowMilliseconds();
      connection.toClient({ kind: "data", data: this.#autoResponse.response });
    } else this.#event((instance) => callIf(instance, "webSocketMessage", this.#socket(connection), payload(frame.data)));
  }

  /** The socket broke. */
  lost(connection: Connection): void {
    if (!this.#connections.has(connection)) return;
    this.#forget(connection);
    this.#event((instance) => callIf(instance, "webSocketClose", this.#socket(connection), 1006, "", false));
  }

  /** Loses memory, what was not durable, calls under way and sockets. */
  crash(): void {
    const connections = [...this.#connections];
    const callers = [...this.#callers];
    this.#endLife();
    this.#disk.crash();
    this.#callers.clear();
    for (const connection of connections) {
      this.#forget(connection);
      connection.toClient({ kind: "close", code: 1006 });
    }
    const error = Object.assign(new Error("the object was reset"), { retryable: true, durableObjectReset: true, remote: true });
    for (const reject of callers) reject(error);
  }

  image(): DiskImage {
    return this.#disk.image();
  }

  close(): void {
    this.#endLife();
    this.#cancelAlarm?.();
    this.#disk.close();
  }

  #crashes(): boolean {
    if (this.#options.crashServer()) return true;
    const { dice, faults } = this.#surroundings;
    if (!dice.chance(faults.crashObject)) return false;
    this.crash();
    return true;
  }

  #answered(work: (instance: Instance) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#callers.add(reject);
      if (this.#crashes()) return;
      const instance = this.#wake();
      const storage = this.#storage;
      const finish = (answer: () => void): void => {
        storage?.output(() => {
          if (this.#callers.delete(reject)) answer();
        });
      };
      const run = this.#during(async () => await work(instance));
      const fail = (error: unknown): void => finish(() => reject(error));
      void whenKnown(run, (value) => finish(() => resolve(value)), fail);
    });
  }

  /** Something that nobody waits for. What it throws stays here. */
  #event(work: (instance: Instance) => unknown): void {
    const instance = this.#wake();
    this.#during(async () => await work(instance)).catch(() => undefined);
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    const life = this.#life;
    this.#busy++;
    try {
      return await work();
    } finally {
      if (life === this.#life) this.#busy--;
    }
  }

  #wake(): Instance {
    const { dice, faults } = this.#surroundings;
    const isIdle = this.#instance !== undefined && this.#busy === 0 && this.#disk.isQuiet;
    if (isIdle && dice.chance(faults.evict)) this.#endLife();
    if (this.#instance !== undefined) return this.#instance;
    const life = this.#life;
    const storage = new ObjectStorage(this.#disk);
    this.#storage = storage;
    const isAlive = (): boolean => life === this.#life;
    const instance = this.#options.construct(this.#state(storage), { isAlive, leave: (act) => storage.output(act) });
    this.#instance = instance;
    return instance;
  }

  #endLife(): void {
    this.#life++;
    this.#busy = 0;
    this.#storage?.end();
    this.#storage = undefined;
    this.#instance = undefined;
    this.#sockets = new Map();
  }

  #state(storage: ObjectStorage): object {
    return {
      id: { name: this.#options.name, toString: () => this.#options.name },
      storage,
      acceptWebSocket: (socket: ObjectSocket, tags: readonly string[] = []) => this.#accept(socket, tags, storage),
      getWebSockets: (tag?: string) => this.#tagged(tag),
      setWebSocketAutoResponse: (pair: RequestResponsePair) => {
        this.#autoResponse = pair;
      },
      getWebSocketAutoResponseTimestamp: ({ connection }: ObjectSocket) =>
        connection.answeredAt === undefined ? null : new Date(connection.answeredAt),
      waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined),
    };
  }

  #accept(socket: ObjectSocket, tags: readonly string[], storage: ObjectStorage): void {
    const { connection } = socket;
    socket.accept(storage);
    connection.tags = tags;
    connection.object = this;
    this.#connections.add(connection);
    this.#sockets.set(connection, socket);
  }

  #tagged(tag: string | undefined): readonly ObjectSocket[] {
    const connections = [...this.#connections].filter(({ tags }) => tag === undefined || tags.includes(tag));
    return connections.map((connection) => this.#socket(connection));
  }

  #socket(connection: Connection): ObjectSocket {
    let socket = this.#sockets.get(connection);
    if (socket === undefined) {
      socket = new ObjectSocket(connection, this.#storage);
      this.#sockets.set(connection, socket);
    }
    return socket;
  }

  #clientClosed(connection: Connection, code: number): void {
    if (!this.#connections.has(connection)) return;
    // Its own close is answered: that was the last frame.
    if (connection.readyState === 2) return this.#forget(connection);
    connection.readyState = 2;
    this.#connections.delete(connection);
    this.#event((instance) => callIf(instance, "webSocketClose", this.#socket(connection), code, "", true));
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    connection.end();
  }

  #armAlarm(at: number | undefined): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    if (at === undefined) return;
    const { clock } = this.#surroundings;
    this.#cancelAlarm = clock.after(at - clock.nowMilliseconds(), () => this.#ring());
  }

  /** At least once: only when it was run to its end, the alarm is gone. */
  #ring(): void {
    if (this.#crashes()) return;
    const due = this.#disk.alarm;
    const instance = this.#wake();
    const run = this.#during(async () => await callIf(instance, "alarm"));
    const done = (): void => {
      if (this.#instance === instance && this.#disk.alarm === due) this.#disk.setAlarm(undefined);
    };
    const again = (): void => {
      if (this.#instance === instance) this.#armAlarm(this.#surroundings.clock.nowMilliseconds() + ALARM_RETRY_MILLISECONDS);
    };
    void whenKnown(run, done, again);
  }
}

function callIf(instance: Instance, method: string, ...args: readonly unknown[]): unknown {
  const run = instance[method];
  return typeof run === "function" ? run.apply(instance, args) : undefined;
}

function payload(data: string | Uint8Array): string | ArrayBuffer {
  return typeof data === "string" ? data : new Uint8Array(data).buffer;
}
