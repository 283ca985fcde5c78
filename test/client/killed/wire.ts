// The wire between one program and the server, with somebody who sees all that is sent on it. What a program computed and never
// sent does not come here, and what was sent goes on to the server whatever has become of its sender. Understands nothing.

import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { type Bytes, copy } from "#wire";

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Of a part that was asked for. */
  readonly range: string | undefined;
  readonly body: Bytes;
}

export class Wire {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #target: number;
  /** Is told of each request that came whole, before the server is. */
  see: (asked: Asked) => void = () => undefined;

  static async lay(target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return wire;
  }

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (socket) => {
      this.#open.add(socket);
      // Whoever is killed says no goodbye.
      socket.on("error", () => undefined);
      socket.on("close", () => this.#open.delete(socket));
    });
    server.on("request", (request, response) => this.#carry(request, response));
    server.on("upgrade", (request, socket: Socket, head) => this.#join(request, socket, head)); // an HTTP server has no others
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the wire is cut");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Resolves when everything has come that a program sent before it ended. */
  async quiet(): Promise<void> {
    await Promise.all([...this.#open].map((socket) => new Promise<void>((resolve) => void socket.on("close", () => resolve()))));
  }

  async cut(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await this.quiet();
  }

  #carry(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: path = "", rawHeaders: headers } = request;
      const body = Buffer.concat(chunks);
      this.see({ method, path, range: request.headers.range, body: copy(body) });
      const onward = ask({ host: "127.0.0.1", port: this.#target, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      onward.end(body);
    });
  }

  /** A WebSocket: from here on it is theirs. */
  #join(request: IncomingMessage, near: Socket, head: Buffer): void {
    const far = connect(this.#target, "127.0.0.1");
    const headers = request.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
    far.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => other.destroy());
    }
  }
}
