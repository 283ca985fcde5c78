// The socket that comes back: opened again after every loss, with growing and random pauses; kept alive by text pings; what
// arrives goes to the handler in order, and what the handler has made durable is acknowledged.

import type { Random } from "#crypto";
import {
  assertNever,
  type Bytes,
  CLOSE,
  decodeServerFrame,
  type Deliver,
  encodeClientFrame,
  EPHEMERAL_GUID,
  MAILBOX_WINDOW_MESSAGES,
  type SendEphemeral,
  type ServerFrame,
  SOCKET_PROTOCOL,
  WireError,
} from "#wire";
import type { Connection, ConnectionHandler, ConnectionStatus } from "../connection-api.ts";
import { ClientError } from "../errors.ts";
import type { Clock, Network, Socket } from "../ports.ts";
import type { Tokens } from "./tokens.ts";

const PING_MILLISECONDS = 30_000;
const PONG_MILLISECONDS = 10_000;
/** A server that takes a connection and never answers. */
const OPEN_MILLISECONDS = 20_000;
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 30_000;
/** Given to the handler at once, at most. Enough that a commit costs each of them little, and few enough that others get a turn. */
const BATCH_MESSAGES = 128;
const GATHER_MILLISECONDS = 10;

export interface ReconnectingSocket {
  /** With `ws:` or `wss:`. */
  readonly url: string;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: Tokens;
  readonly handler: ConnectionHandler;
}

/** One socket's life. */
interface Life {
  socket: Socket | undefined;
  readonly frames: ServerFrame["frame"][];
  working: Promise<void> | undefined;
  closed: boolean;
  ponged: boolean;
  /** For the opening, then for the next ping or its pong. */
  cancelWait: () => void;
  /** Ends the wait for more. */
  gathered: () => void;
}

export function reconnectingSocket(parts: ReconnectingSocket): Connection {
  return new Reconnecting(parts);
}

class Reconnecting implements Connection {
  readonly #parts: ReconnectingSocket;
  #status: ConnectionStatus = "offline";
  #wanted = false;
  #life: Life | undefined;
  #attempts = 0;
  #refusedToken: string | undefined;
  #cancelRetry: () => void = () => undefined;
  #stopWaking: () => void = () => undefined;

  constructor(parts: ReconnectingSocket) {
    this.#parts = parts;
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  open(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#attempts = 0;
    this.#stopWaking = this.#parts.network.onWake(() => {
      if (this.#wanted && this.#life === undefined) this.#start();
    });
    this.#start();
  }

  async close(): Promise<void> {
    this.#wanted = false;
    this.#cancelRetry();
    this.#stopWaking();
    const life = this.#life;
    life?.gathered();
    await life?.working;
    if (life !== undefined) this.#end(life);
    this.#say("offline");
  }

  sendEphemeral(message: Omit<SendEphemeral, "kind" | "extensions">): boolean {
    const socket = this.#life?.socket;
    if (socket === undefined || (this.#status !== "live" && this.#status !== "catching-up")) return false;
    socket.send(encodeClientFrame({ frame: { ...message, kind: "send-ephemeral" } }));
    return true;
  }

  #say(status: ConnectionStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#parts.handler.status(status);
  }

  #start(): void {
    this.#cancelRetry();
    const life: Life = {
      socket: undefined,
      frames: [],
      working: undefined,
      closed: false,
      ponged: true,
      cancelWait: () => undefined,
      gathered: () => undefined,
    };
    this.#life = life;
    this.#say("connecting");
    this.#connect(life).catch((error: unknown) => this.#lost(life, error));
  }

  async #connect(life: Life): Promise<void> {
    const { tokens, network, url } = this.#parts;
    const token = await tokens.get(this.#refusedToken);
    if (life.closed || !this.#wanted) return;
    life.cancelWait = this.#parts.clock.after(OPEN_MILLISECONDS, () => this.#lost(life, undefined));
    life.socket = network.openSocket(
      { url, protocols: [SOCKET_PROTOCOL, token] },
      {
        opened: () => {
          if (life.closed) return;
          life.cancelWait();
          this.#say("catching-up");
          this.#ping(life);
        },
        text: (data) => {
          if (data === "pong") life.ponged = true;
        },
        binary: (data) => this.#take(life, data),
        closed: (code) => {
          // Refused before it opened is also how a token ends that is not good any more.
          if (code === CLOSE.unauthorized.code || this.#status === "connecting") this.#refusedToken = token;
          this.#lost(life, endOf(code));
        },
      },
    );
  }

  #ping(life: Life): void {
    if (life.closed) return;
    life.ponged = false;
    life.socket?.send("ping");
    life.cancelWait = this.#parts.clock.after(PONG_MILLISECONDS, () => {
      if (!life.ponged) {
        this.#lost(life, undefined);
        return;
      }
      // Only now: one that opens and breaks, or whose frames nobody can take in, is no reason to come back sooner.
      this.#attempts = 0;
      life.cancelWait = this.#parts.clock.after(PING_MILLISECONDS - PONG_MILLISECONDS, () => this.#ping(life));
    });
  }

  #take(life: Life, data: Bytes): void {
    if (life.closed) return;
    try {
      life.frames.push(decodeServerFrame(data).frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#lost(life, undefined);
      return;
    }
    // Twice the window is more than a server sends that waits for acknowledgements.
    if (life.frames.length > 2 * MAILBOX_WINDOW_MESSAGES + 16) this.#lost(life, undefined);
    if (isBatch(life.frames)) life.gathered();
    this.#workOff(life);
  }

  #workOff(life: Life): void {
    life.working ??= this.#work(life)
      .catch((error: unknown) => this.#lost(life, error))
      .finally(() => {
        life.working = undefined;
        // A frame may have come between the last look and this.
        if (life.frames.length > 0 && !life.closed) this.#workOff(life);
      });
  }

  async #work(life: Life): Promise<void> {
    while (life.frames.length > 0 && !life.closed) {
      if (this.#status === "catching-up" && this.#wanted && !isBatch(life.frames)) await this.#gather(life);
      const frame = life.frames[0];
      if (frame === undefined || life.closed) return;
      if (frame.kind === "deliver") await this.#deliver(life, takeDeliveries(life.frames));
      else {
        life.frames.shift();
        await this.#act(life, frame);
      }
    }
  }

  /** Where much waits, more is about to come: together they cost one commit. */
  async #gather(life: Life): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(GATHER_MILLISECONDS, resolve);
      life.gathered = () => {
        cancel();
        resolve();
      };
    });
  }

  async #deliver(life: Life, deliveries: readonly Deliver[]): Promise<void> {
    const durable = await this.#parts.handler.deliver(deliveries);
    const guids = durable.filter((guid) => guid !== EPHEMERAL_GUID);
    if (guids.length > 0 && !life.closed) life.socket?.send(encodeClientFrame({ frame: { kind: "ack", guids } }));
  }

  async #act(life: Life, frame: Exclude<ServerFrame["frame"], Deliver>): Promise<void> {
    switch (frame.kind) {
      case "pre-keys-low":
        this.#parts.handler.preKeysLow(frame);
        return;
      case "queue-empty":
        await this.#parts.handler.caughtUp();
        if (!life.closed) this.#say("live");
        return;
      default:
        assertNever(frame);
    }
  }

  #end(life: Life): void {
    life.closed = true;
    life.cancelWait();
    life.gathered();
    life.socket?.close();
    if (this.#life === life) this.#life = undefined;
  }

  #lost(life: Life, error: unknown): void {
    if (life.closed) return;
    this.#end(life);
    this.#say("offline");
    if (!this.#wanted) return;
    if (error !== undefined && isFinal(error)) {
      this.#wanted = false;
      this.#stopWaking();
      this.#parts.handler.failed(error);
      return;
    }
    this.#cancelRetry = this.#parts.clock.after(this.#pause(), () => this.#start());
  }

  /** Full jitter: anything from nothing to a bound that doubles, so that those who lost a server together come back apart. */
  #pause(): number {
    const bound = Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** this.#attempts);
    this.#attempts += 1;
    const [high = 0, low = 0] = this.#parts.random(2);
    return Math.floor((bound * (high * 256 + low)) / 65_536);
  }
}

/** Codes after which there is nothing to come back to. */
function endOf(code: number): ClientError | undefined {
  if (code === CLOSE.replaced.code) return new ClientError("replaced-elsewhere");
  return code === CLOSE.deleted.code ? new ClientError("own-account-deleted") : undefined;
}

/** What no other socket would change. */
function isFinal(error: unknown): boolean {
  return !(error instanceof ClientError) || !error.retryable;
}

/** Nothing is gained by waiting for more. */
function isBatch(frames: readonly ServerFrame["frame"][]): boolean {
  return frames.length >= BATCH_MESSAGES || frames.some(({ kind }) => kind !== "deliver");
}

/** The deliveries at the front, at most a batch of them, taken out. */
function takeDeliveries(frames: ServerFrame["frame"][]): readonly Deliver[] {
  const end = frames.findIndex((frame) => frame.kind !== "deliver");
  const count = Math.min(end === -1 ? frames.length : end, BATCH_MESSAGES);
  return frames.splice(0, count).filter((frame) => frame.kind === "deliver");
}
