// The network and the clock of the platform that the program runs on: Node, a browser, a Worker. The only file of the client
// that touches them.

import { type Bytes, concat, copy } from "#wire";
import type { Clock, HttpRequest, HttpResponse, Network, Socket, SocketEvents, SocketRequest } from "../ports.ts";

/** More than any answer of the server. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const ABNORMAL_CLOSURE = 1006;
const WAKING_EVENTS = ["online", "pageshow", "visibilitychange"] as const;

export const platformClock: Clock = {
  nowMilliseconds: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

export const platformNetwork: Network = { request, openSocket, onWake };

async function request({ method, url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    signal,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
  });
  return { status: response.status, headers: new Map(response.headers), body: await bodyOf(response) };
}

/** Piece by piece: an answer without an end must not fill the memory. */
async function bodyOf({ body }: Response): Promise<Bytes> {
  const pieces: Bytes[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (piece?.value === undefined) return concat(...pieces);
    length += piece.value.length;
    if (length > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new RangeError("the answer is too large");
    }
    pieces.push(copy(piece.value));
  }
}

function openSocket({ url, protocols }: SocketRequest, events: SocketEvents): Socket {
  const socket = new WebSocket(url, [...protocols]);
  socket.binaryType = "arraybuffer";
  let ended = false;
  const end = (code: number): void => {
    if (ended) return;
    ended = true;
    events.closed(code);
  };
  socket.addEventListener("open", () => events.opened());
  socket.addEventListener("message", (event) => {
    const data: unknown = event.data;
    if (typeof data === "string") events.text(data);
    else if (data instanceof ArrayBuffer) events.binary(new Uint8Array(data));
  });
  socket.addEventListener("close", ({ code }) => end(code));
  // A close follows every error, but not on every platform.
  socket.addEventListener("error", () => queueMicrotask(() => end(ABNORMAL_CLOSURE)));
  return {
    send(data) {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    close: () => socket.close(),
  };
}

/** Browsers say when the network or the page is back; elsewhere nobody does, and there is nobody to listen to. */
function onWake(listener: () => void): () => void {
  const page = globalThis as unknown as Partial<EventTarget>; // not every platform's global object is an event target
  if (page.addEventListener === undefined) return () => undefined;
  for (const name of WAKING_EVENTS) page.addEventListener(name, listener);
  return () => {
    for (const name of WAKING_EVENTS) page.removeEventListener?.(name, listener);
  };
}
