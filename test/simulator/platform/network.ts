// The network between one client and the server: it loses, delays, doubles and reorders requests and answers, and breaks
// sockets. A socket is a stream: what is lost of it is its end, never its middle.

import type { HttpRequest, HttpResponse, Network, Socket, SocketEvents, SocketRequest } from "../../../client/ports.ts";
import { whenKnown } from "./outcome.ts";
import { type Connection, type Frame, ClientEnd } from "./sockets.ts";
import type { SimulatedServer } from "./server.ts";
import { journey, type Surroundings } from "./surroundings.ts";

/** After this long even a network that says nothing gives up. */
const GIVES_UP_MILLISECONDS = 120_000;
const SOCKET_GIVES_UP_MILLISECONDS = 600_000;
const ABNORMAL = 1006;
const NORMAL = 1000;

export class SimulatedNetwork implements Network {
  readonly #surroundings: Surroundings;
  readonly #server: SimulatedServer;
  readonly #sockets = new Set<SimulatedSocket>();
  readonly #wakers = new Set<() => void>();
  #isOnline = true;

  constructor(surroundings: Surroundings, server: SimulatedServer) {
    this.#surroundings = surroundings;
    this.#server = server;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  goOffline(): void {
    this.#isOnline = false;
    for (const socket of this.#sockets) socket.breaks(this.#surroundings.dice.chance(0.5) ? "told" : "silent");
  }

  /** The program behind it is gone. */
  drop(): void {
    this.#isOnline = false;
    for (const socket of this.#sockets) socket.breaks("told");
  }

  /** Mostly the program is told. */
  goOnline(): void {
    this.#isOnline = true;
    if (this.#surroundings.dice.chance(0.8)) for (const wake of this.#wakers) wake();
  }

  onWake(listener: () => void): () => void {
    this.#wakers.add(listener);
    return () => this.#wakers.delete(listener);
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    const { clock, dice, faults } = this.#surroundings;
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) return reject(aborted(request.signal));
      request.signal.addEventListener("abort", () => reject(aborted(request.signal)), { once: true });
      const fail = (): void => reject(new TypeError("no answer"));
      // Sooner or later, so that a program may not count on either.
      const failLater = (): void => void clock.after(dice.chance(0.5) ? journey(this.#surroundings) : GIVES_UP_MILLISECONDS, fail);
      if (!this.#isOnline) return void clock.after(1, fail);
      const deliver = (): void => {
        const answer = (response: HttpResponse): void => {
          if (!this.#isOnline || dice.chance(faults.loseAnswer)) failLater();
          else clock.after(journey(this.#surroundings), () => resolve(response));
        };
        void whenKnown(this.#exchange(request), answer, failLater);
      };
      if (dice.chance(faults.loseRequest)) return failLater();
      clock.after(journey(this.#surroundings), deliver);
      if (dice.chance(faults.repeatRequest)) clock.after(journey(this.#surroundings), deliver);
    });
  }

  openSocket(request: SocketRequest, events: SocketEvents): Socket {
    const socket = new SimulatedSocket(this.#surroundings, events, () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    if (this.#isOnline) this.#upgrade(request, socket);
    else socket.breaks("told");
    return socket;
  }

  async #exchange(asked: HttpRequest): Promise<HttpResponse> {
    const { method, url, headers, body } = asked;
    this.#surroundings.watch?.request(asked);
    const response = await this.#server.fetch(new Request(url, { method, headers, body: body ?? null }));
    const answer = { status: response.status, headers: new Map(response.headers), body: new Uint8Array(await response.arrayBuffer()) };
    this.#surroundings.watch?.answer(asked, answer);
    return answer;
  }

  #upgrade({ url, protocols }: SocketRequest, socket: SimulatedSocket): void {
    const headers = { upgrade: "websocket", "sec-websocket-protocol": protocols.join(", ") };
    const request = new Request(url.replace(/^ws/, "http"), { headers });
    this.#surroundings.clock.after(journey(this.#surroundings), () => {
      const answer = (response: Response & { readonly webSocket?: unknown }): void => {
        if (response.webSocket instanceof ClientEnd) socket.connect(response.webSocket.connection);
        else socket.breaks("told");
      };
      void whenKnown(this.#server.fetch(request), answer, () => socket.breaks("told"));
    });
  }
}

function aborted({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error("aborted");
}

/** `up`: from the client. */
type Direction = "up" | "down";

class SimulatedSocket implements Socket {
  readonly #surroundings: Surroundings;
  readonly #events: SocketEvents;
  readonly #forget: () => void;
  #connection: Connection | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";
  /** The way is broken: whatever is on it never arrives. */
  #isBroken = false;
  readonly #last: Record<Direction, number> = { up: 0, down: 0 };

  constructor(surroundings: Surroundings, events: SocketEvents, forget: () => void) {
    this.#surroundings = surroundings;
    this.#events = events;
    this.#forget = forget;
  }

  connect(connection: Connection): void {
    this.#connection = connection;
    if (this.#state === "closed" || this.#isBroken) return this.#tellServer();
    this.#travels("down", () => this.#open());
    connection.connect((frame) => this.#travels("down", () => this.#arrive(frame)));
  }

  send(data: Uint8Array<ArrayBuffer> | string): void {
    if (this.#state !== "open") return;
    const frame: Frame = { kind: "data", data: typeof data === "string" ? data : data.slice() };
    this.#travels("up", () => this.#connection?.toObject(frame));
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#travels("up", () => this.#connection?.toObject({ kind: "close", code: NORMAL }));
    this.#finish(NORMAL);
  }

  /** From now on nothing arrives any more, on either side. `silent`: and for a long time nobody says so. */
  breaks(how: "told" | "silent"): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { clock, dice } = this.#surroundings;
    clock.after(how === "told" ? dice.roll(200) : SOCKET_GIVES_UP_MILLISECONDS, () => this.#finish(ABNORMAL));
    clock.after(dice.chance(0.5) ? dice.roll(200) : SOCKET_GIVES_UP_MILLISECONDS, () => this.#tellServer());
  }

  #travels(direction: Direction, arrive: () => void): void {
    const { clock, dice, faults } = this.#surroundings;
    if (dice.chance(faults.breakSocket)) this.breaks("told");
    else if (dice.chance(faults.silenceSocket)) this.breaks("silent");
    const at = Math.max(this.#last[direction], clock.nowMilliseconds() + journey(this.#surroundings));
    this.#last[direction] = at;
    clock.after(at - clock.nowMilliseconds(), () => {
      if (!this.#isBroken) arrive();
    });
  }

  #open(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#events.opened();
  }

  #arrive(frame: Frame): void {
    if (this.#state !== "open") return;
    if (frame.kind === "close") {
      this.#connection?.toObject({ kind: "close", code: frame.code });
      this.#finish(frame.code);
    } else if (typeof frame.data === "string") this.#events.text(frame.data);
    else this.#events.binary(new Uint8Array(frame.data));
  }

  #tellServer(): void {
    const connection = this.#connection;
    connection?.object?.lost(connection);
  }

  #finish(code: number): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#forget();
    const { clock } = this.#surroundings;
    // Never inside of a call of the client's.
    clock.after(0, () => this.#events.closed(code));
  }
}
