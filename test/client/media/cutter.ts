// A line between clients and a server that is cut again and again, after so many bytes: in the middle of a request, of an answer, or
// of nothing. Understands nothing of what it carries.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export type Direction = "up" | "down";

/** After so many more bytes in this direction, over all connections, everything is cut. */
export interface Cut {
  readonly direction: Direction;
  readonly afterBytes: number;
}

export class Cutter {
  readonly #server: Server;
  readonly #target: number;
  readonly #open = new Set<Socket>();
  readonly #cuts: Cut[] = [];
  readonly #carried: Record<Direction, number> = { up: 0, down: 0 };
  #left = 0;
  #made = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (near) => this.#join(near));
  }

  static async lay(target: number): Promise<Cutter> {
    const server = createServer();
    const cutter = new Cutter(server, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return cutter;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("there is no line");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Cuts to come, one after the other. */
  plan(cuts: readonly Cut[]): void {
    this.#cuts.push(...cuts);
    this.#left = this.#cuts[0]?.afterBytes ?? 0;
  }

  /** Cuts that were made. */
  get made(): number {
    return this.#made;
  }

  /** Bytes that have gone through. */
  carried(direction: Direction): number {
    return this.#carried[direction];
  }

  async close(): Promise<void> {
    this.#cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    const far = connect(this.#target, "127.0.0.1");
    this.#carry(near, far, "up");
    this.#carry(far, near, "down");
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    this.#open.add(from);
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#open.delete(from);
      to.destroy();
    });
    from.on("data", (bytes: Buffer) => {
      this.#carried[direction] += bytes.length;
      if (!to.write(bytes)) from.pause();
      if (this.#isDue(direction, bytes.length)) this.#cutAll();
    });
    to.on("drain", () => from.resume());
  }

  #isDue(direction: Direction, bytes: number): boolean {
    const [next] = this.#cuts;
    if (next?.direction !== direction) return false;
    this.#left -= bytes;
    if (this.#left > 0) return false;
    this.#cuts.shift();
    this.#left = this.#cuts[0]?.afterBytes ?? 0;
    this.#made++;
    return true;
  }

  #cutAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
