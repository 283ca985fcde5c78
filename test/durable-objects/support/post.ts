// A mailbox and what is around it: an owner with keys, and sockets that a device holds.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { type FanOut, type Mailbox, databaseOf, databasesOf, parseServerSeed, ServerNames } from "#durable-objects";
import { createPreKeySet, type OwnDevice } from "#identity";
import {
  type Bytes,
  decodeServerFrame,
  type Deliver,
  encodeClientFrame,
  encodePreKeyUpload,
  type MessageId,
  parseMessageId,
  type ServerFrame,
  uuidFromBytes,
  type UserId,
  uuidToBytes,
} from "#wire";
import { Owner } from "../../support/accounts.ts";
import { oneTimeKeys, preKeyInput } from "../../support/prekeys.ts";
import { makeTables } from "../../workers/support/databases.ts";

const names = new ServerNames(parseServerSeed(env.SERVER_SEED));
export const databases = databasesOf({ ...env });

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

export function mailboxOf(userId: UserId): DurableObjectStub<Mailbox> {
  const namespace = env.MAILBOX as unknown as DurableObjectNamespace<Mailbox>; // the class that the test worker exports
  return namespace.getByName(names.mailbox(userId));
}

export function messageId(number: number): MessageId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  return parseMessageId(uuidFromBytes(bytes));
}

export async function makeAllTables(): Promise<void> {
  await makeTables(databases);
}

/** The owner of a mailbox. */
export class Addressee {
  readonly owner: Owner;

  readonly #seed: number;
  readonly #beganSeconds: number;

  constructor(seed: number, beganSeconds = nowSeconds()) {
    this.owner = new Owner(seed, beganSeconds);
    this.#seed = seed;
    this.#beganSeconds = beganSeconds;
  }

  /** The same account as it began, to write another history. */
  twin(): Addressee {
    return new Addressee(this.#seed, this.#beganSeconds);
  }

  static async register(seed: number): Promise<Addressee> {
    const addressee = new Addressee(seed);
    const result = await addressee.register();
    if (result.kind !== "appended") throw new Error(result.code);
    return addressee;
  }

  get userId(): UserId {
    return this.owner.userId;
  }

  get stub(): DurableObjectStub<Mailbox> {
    return mailboxOf(this.userId);
  }

  get database(): D1Database {
    return databaseOf(databases, names.slot(uuidToBytes(this.userId)));
  }

  upload(device: OwnDevice = this.owner.first): Bytes {
    const { owner } = this;
    const set = createPreKeySet({ ...preKeyInput(owner.userId, device, owner.random), nowSeconds: nowSeconds() }, owner.random);
    return encodePreKeyUpload({ set, oneTimePreKeys: oneTimeKeys([1, 2], owner.random) });
  }

  async register() {
    const [genesis = new Uint8Array()] = this.owner.entries;
    return await this.stub.register({ userId: this.userId, genesis, upload: this.upload() });
  }

  /** A second device, in the log and at the server. */
  async addDevice(): Promise<OwnDevice> {
    const device = this.owner.add();
    const result = await this.appendLast(this.upload(device));
    if (result.kind !== "appended") throw new Error(result.kind);
    return device;
  }

  /** Deletes the account, as any of its devices. */
  async end(): Promise<void> {
    this.owner.append(this.owner.writeEnd());
    const result = await this.appendLast();
    if (result.kind !== "appended") throw new Error(result.kind);
  }

  async appendLast(upload?: Bytes) {
    return await this.stub.appendLog({ entry: this.owner.entries.at(-1) ?? new Uint8Array(), upload });
  }

  /** Sends to every device. */
  async send(number: number, options: { readonly content?: Bytes; readonly ephemeral?: boolean } = {}) {
    const { content = Uint8Array.of(number & 0xff), ephemeral = false } = options;
    const devices = this.owner.devices.map(({ deviceId, registrationId }) => ({ deviceId, registrationId, content }));
    return await this.stub.accept({ messageId: messageId(number), scope: "all", ephemeral, devices });
  }

  async connect(device: OwnDevice = this.owner.first): Promise<Connection> {
    const response = await this.stub.fetch(`https://mailbox/socket?device=${device.deviceId}`, { headers: { upgrade: "websocket" } });
    if (response.webSocket === null) throw new Error(`status ${response.status}`);
    return new Connection(response.webSocket);
  }

  /** What the statements of `work` wrote, by the object's own count. */
  async rowsWritten(work: () => Promise<unknown>): Promise<number> {
    return await rowsWrittenBy(this.stub, work);
  }

  /** Messages that wait, for all devices. */
  async queued(): Promise<number> {
    return await this.rows("messages WHERE length(body) > 0", "messages");
  }

  async rows(from: string, table = from): Promise<number> {
    return await runInDurableObject(this.stub, (_, state) => {
      const exists = [...state.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table)].length > 0;
      return exists ? ([...state.storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${from}`)][0]?.n ?? 0) : -1;
    });
  }
}

/** What the statements of one object wrote during `work`, by its own count. */
export async function rowsWrittenBy(stub: DurableObjectStub<Mailbox | FanOut>, work: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => await runInDurableObject(stub, (_, state) => counterOf(state).total);
  const before = await count();
  await work();
  return (await count()) - before;
}

interface Counter {
  total: number;
}
const counters = new WeakMap<SqlStorage, Counter>();

/** Listens to every statement of one object from now on: the cursors tell what they have written. */
function counterOf(state: DurableObjectState): Counter {
  const { sql } = state.storage;
  const known = counters.get(sql);
  if (known !== undefined) return known;
  const counter = { total: 0 };
  counters.set(sql, counter);
  const exec = sql.exec.bind(sql);
  sql.exec = <T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): SqlStorageCursor<T> => {
    const cursor = exec<T>(query, ...bindings);
    counter.total += cursor.rowsWritten;
    return cursor;
  };
  return counter;
}

/** A device's end of a socket. */
export class Connection {
  readonly socket: WebSocket;
  readonly frames: ServerFrame["frame"][] = [];
  readonly delivered: Deliver[] = [];
  readonly texts: string[] = [];
  closed: { readonly code: number } | undefined;
  #wake: () => void = () => undefined;
  #fail: (late: Error) => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.texts.push(data);
      else this.#note(decodeServerFrame(new Uint8Array(data as ArrayBuffer)).frame); // as binaryType says
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = { code };
      this.#wake();
    });
    socket.accept();
  }

  get isEmpty(): boolean {
    return this.frames.some(({ kind }) => kind === "queue-empty");
  }

  /** Ends when `condition` holds. @throws Error after ten seconds */
  async until(condition: (connection: this) => boolean): Promise<void> {
    const late = new Error("waited in vain");
    const timer = setTimeout(() => this.#fail(late), 10_000);
    try {
      while (!condition(this)) {
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          this.#fail = reject;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #note(frame: ServerFrame["frame"]): void {
    this.frames.push(frame);
    if (frame.kind === "deliver") this.delivered.push(frame);
  }

  ack(...guids: readonly number[]): void {
    this.socket.send(encodeClientFrame({ frame: { kind: "ack", guids } }));
  }

  ackAll(): void {
    const guids = this.delivered.map(({ guid }) => guid);
    for (let at = 0; at < guids.length; at += 256) this.ack(...guids.slice(at, at + 256));
  }

  close(): void {
    this.socket.close(1000);
  }
}

/** Long enough for what must not come. */
export async function quiet(milliseconds = 150): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
