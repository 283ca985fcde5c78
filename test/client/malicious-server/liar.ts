// A server that lies to one client. It stands between that client's network port and the real server and has what a server
// has: every request, answer and frame, which it can change, keep, repeat and make up. It has no key of anybody's.

import type { HttpRequest, HttpResponse, Network, Socket, SocketEvents, SocketRequest } from "#client";
import {
  type Bytes,
  decodeClientFrame,
  decodeServerFrame,
  type Deliver,
  encodeServerFrame,
  type Operation,
  ROUTES,
  type ServerFrame,
  toUtf8,
} from "#wire";
import { platformNetwork } from "../../../client/transport/platform.ts";

export type Frame = ServerFrame["frame"];
export type Answer = (request: HttpRequest, next: () => Promise<HttpResponse>) => Promise<HttpResponse>;
export type Relay = (frame: Frame, pass: (frame: Frame) => void) => void;

const ABNORMAL = 1006;

export class Liar implements Network {
  /** What becomes of requests. Honest at first. */
  answer: Answer = honestly;
  /** What becomes of frames on their way to the client. */
  relay: Relay = openly;
  /** What the client asked for, oldest first. */
  readonly asked: HttpRequest[] = [];
  /** What the client has said that the server may forget. */
  readonly acknowledged: number[] = [];
  socketsOpened = 0;
  /** What went wrong in the lies themselves. The client would take it for a network that is down. */
  readonly mistakes: unknown[] = [];
  #line: Line | undefined;

  async request(request: HttpRequest): Promise<HttpResponse> {
    this.asked.push(request);
    try {
      return await this.answer(request, () => this.ask(request));
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) this.mistakes.push(error);
      throw error;
    }
  }

  /** The real server. */
  ask(request: HttpRequest): Promise<HttpResponse> {
    return platformNetwork.request(request);
  }

  openSocket(request: SocketRequest, events: SocketEvents): Socket {
    this.socketsOpened++;
    const line = new Line(this, request, events);
    this.#line = line;
    return line;
  }

  onWake(): () => void {
    return () => undefined;
  }

  /** From now on nothing is changed any more. */
  becomeHonest(): void {
    this.answer = honestly;
    this.relay = openly;
  }

  count(operation: Operation): number {
    return this.asked.filter((request) => is(request, operation)).length;
  }

  /** Frames that no server sent, over the socket that is open. */
  send(frame: Frame): void {
    this.#line?.binary(encodeServerFrame({ frame }));
  }

  sendBytes(bytes: Bytes): void {
    this.#line?.binary(bytes);
  }

  sendText(text: string): void {
    this.#line?.text(text);
  }

  closeSocket(code: number = ABNORMAL): void {
    this.#line?.end(code);
  }
}

function honestly(_: HttpRequest, next: () => Promise<HttpResponse>): Promise<HttpResponse> {
  return next();
}

function openly(frame: Frame, pass: (frame: Frame) => void): void {
  pass(frame);
}

/** One socket, with the liar in the middle. */
class Line implements Socket {
  readonly #liar: Liar;
  readonly #events: SocketEvents;
  readonly #socket: Socket;
  #ended = false;

  constructor(liar: Liar, request: SocketRequest, events: SocketEvents) {
    this.#liar = liar;
    this.#events = events;
    this.#socket = platformNetwork.openSocket(request, {
      opened: () => events.opened(),
      text: (data) => this.text(data),
      binary: (data) => liar.relay(decodeServerFrame(data).frame, (frame) => this.binary(encodeServerFrame({ frame }))),
      closed: (code) => this.end(code),
    });
  }

  text(data: string): void {
    if (!this.#ended) this.#events.text(data);
  }

  binary(data: Bytes): void {
    if (!this.#ended) this.#events.binary(data);
  }

  end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.close();
    this.#events.closed(code);
  }

  send(data: Bytes | string): void {
    if (typeof data !== "string") {
      const { frame } = decodeClientFrame(data);
      if (frame.kind === "ack") this.#liar.acknowledged.push(...frame.guids);
    }
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.close();
  }
}

export function is({ method, url }: HttpRequest, operation: Operation): boolean {
  const route = ROUTES[operation];
  const path = new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
  return method === route.method && path.test(new URL(url).pathname);
}

/** Answers one operation by `lie` and the others honestly. */
export function lyingAbout(operation: Operation, lie: Answer): Answer {
  return (request, next) => (is(request, operation) ? lie(request, next) : next());
}

/** The honest answer with another body. */
export async function altered(next: () => Promise<HttpResponse>, alter: (body: Bytes) => Bytes): Promise<HttpResponse> {
  const answer = await next();
  return answer.status === 200 ? { ...answer, body: alter(answer.body) } : answer;
}

export function made(status: number, body: Bytes | Readonly<Record<string, unknown>>): HttpResponse {
  return { status, headers: new Map(), body: body instanceof Uint8Array ? body : toUtf8(JSON.stringify(body)) };
}

/** Whether somebody wrote it: receipts, names and typing too. */
export function isMessage(frame: Frame): frame is Deliver {
  return frame.kind === "deliver" && frame.envelope.type === "sealed";
}

export function flipped(bytes: Bytes, at: number): Bytes {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}
