// The least that a store-and-forward server on this platform can be: one object a user, one INSERT to accept, one DELETE
// to acknowledge; a file is one request and one object of a bucket. No authentication, no check, no quota: what our server costs
// beyond this is what those cost.

import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly MAILBOX: DurableObjectNamespace<Mailbox>;
  readonly MEDIA: R2Bucket;
}

/** All that was queued is acknowledged; our server says it at the same moment. */
const EMPTY = new ArrayBuffer(0);

export class Mailbox extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  /** Of what was queued when the socket opened, how much is not acknowledged. */
  #backlog = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec("CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)");
  }

  accept(body: ArrayBuffer): void {
    const { seq } = this.#sql.exec<{ seq: number }>("INSERT INTO messages (body) VALUES (?1) RETURNING seq", body).one();
    for (const socket of this.ctx.getWebSockets()) socket.send(frame(seq, body));
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const rows = this.#sql.exec<{ seq: number; body: ArrayBuffer }>("SELECT seq, body FROM messages ORDER BY seq");
    this.#backlog = 0;
    for (const { seq, body } of rows) {
      server.send(frame(seq, body));
      this.#backlog++;
    }
    if (this.#backlog === 0) server.send(EMPTY);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message === "string") return;
    this.#sql.exec("DELETE FROM messages WHERE seq = ?1", new DataView(message).getFloat64(0));
    if (this.#backlog > 0 && --this.#backlog === 0) socket.send(EMPTY);
  }
}

/** The number, then the message. */
function frame(seq: number, body: ArrayBuffer): ArrayBuffer {
  const bytes = new Uint8Array(8 + body.byteLength);
  new DataView(bytes.buffer).setFloat64(0, seq);
  bytes.set(new Uint8Array(body), 8);
  return bytes.buffer;
}

const FILES = "/files/";

const worker: ExportedHandler<Env> = {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(FILES)) {
      if (request.method === "GET") return new Response((await env.MEDIA.get(pathname))?.body);
      await env.MEDIA.put(pathname, request.body);
      return Response.json({});
    }
    const mailbox = env.MAILBOX.getByName(pathname);
    if (request.headers.get("upgrade") === "websocket") return await mailbox.fetch(request);
    await mailbox.accept(await request.arrayBuffer());
    return Response.json({});
  },
};

// oxlint-disable-next-line import/no-default-export -- the runtime looks for it under this name
export default worker;
